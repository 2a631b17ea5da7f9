// Calls methods of Portal's own API class, as a React Native app would, and prints what they
// return: `{host, apiKey, calls: [[method, ...arguments]]}` from standard input, a list to standard
// output. Each entry is `{returned}` or `{thrown: {status, message}}`.
//
// The class is as it is published. What it finds in React Native and not in Node is given to it:
// XMLHttpRequest, and an empty `react-native`.
'use strict'

const Module = require('node:module')
const { text } = require('node:stream/consumers')

const load = Module._load
const reactNative = {
  NativeModules: {},
  Platform: { OS: 'ios', select: (choices) => choices.ios },
  TurboModuleRegistry: { get: () => null, getEnforcing: () => ({}) },
}
Module._load = (name, ...rest) => (name === 'react-native' ? reactNative : load(name, ...rest))
globalThis.XMLHttpRequest = require('xmlhttprequest-ssl').XMLHttpRequest

const { default: PortalApi } = require('@portal-hq/core/lib/commonjs/api')

async function called(api, [method, ...args]) {
  try {
    // What returns nothing is written as null.
    return { returned: (await api[method](...args)) ?? null }
  } catch ({ status, message }) {
    return { thrown: { status: status ?? null, message } }
  }
}

async function main() {
  const { host, apiKey, calls } = JSON.parse(await text(process.stdin))
  const featureFlags = { isMultiBackupEnabled: true }
  const api = new PortalApi({ apiKey, host, provider: {}, featureFlags })
  const answers = []
  for (const call of calls) answers.push(await called(api, call))
  process.stdout.write(JSON.stringify(answers))
}

main()
