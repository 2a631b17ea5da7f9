// Runs one ceremony with a passkey for a program on this computer, and hands the answer over to it:
// encrypted to a key that the program made, in a form that is posted to a port of this computer.
// What is asked stands in the fragment of the address, which no server sees; the answer stands in
// no address at all.

import { seal } from './hpke.js'

const LABEL = 'portal-backup/1 ceremony'
const PORT = /^[1-9][0-9]{0,4}$/
const STATE = /^[\w-]{43}$/
const byId = (id) => document.getElementById(id)

const asked = read(location.hash.slice(1))
// Neither the state nor the port stays in the history.
history.replaceState(null, '', location.pathname)

if (!asked) {
  say('Nothing to do here', 'This page is opened by your wallet’s app. Start there again.')
} else if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  handOver(asked, 'error.NotSupportedError')
} else {
  ask(asked)
}

// What the program asks, or null.
function read(fragment) {
  const given = new URLSearchParams(fragment)
  const [kind, port, state] = ['kind', 'port', 'state'].map((name) => given.get(name) ?? '')
  if (!['create', 'get'].includes(kind) || !PORT.test(port) || !STATE.test(state)) return null
  try {
    const recipient = fromBase64url(given.get('recipient'))
    const options = JSON.parse(given.get('options'))
    return recipient.length === 32 ? { kind, port, state, recipient, options } : null
  } catch {
    return null
  }
}

function ask(asked) {
  const isNew = asked.kind === 'create'
  byId('domain').textContent = isNew ? asked.options.rp?.id : asked.options.rpId
  byId('continue').textContent = isNew ? 'Make a passkey' : 'Continue with your passkey'
  byId('continue').onclick = () => confirm(asked)
  byId('cancel').onclick = () => handOver(asked, 'error.NotAllowedError')
  say(
    isNew ? 'Make a passkey for your wallet' : 'Confirm with your passkey',
    isNew
      ? 'An app on this computer wants to back up your wallet with a passkey for'
      : 'An app on this computer wants to open the backup of your wallet with your passkey for',
  )
  for (const id of ['domain', 'choice', 'note']) byId(id).hidden = false
  byId('continue').focus()
}

async function confirm(asked) {
  disable(true)
  let credential
  try {
    credential = await run(asked)
  } catch (error) {
    // Declined, closed, too late, or no such passkey: browsers do not tell which.
    if (error.name === 'NotAllowedError') return again()
    return handOver(asked, `error.${error.name}`)
  }
  await handOver(asked, await sealed(asked, JSON.stringify(credential.toJSON())))
}

function run({ kind, options }) {
  if (kind === 'create') {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
    return navigator.credentials.create({ publicKey })
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  return navigator.credentials.get({ publicKey })
}

function again() {
  disable(false)
  say('Not confirmed', 'The passkey was not confirmed. Try again, or choose Cancel. It is asked for')
}

async function sealed({ kind, state, recipient }, answer) {
  const info = utf8(`${LABEL}\n${kind}\n${state}`)
  return `sealed.${toBase64url(await seal(recipient, info, new Uint8Array(), utf8(answer)))}`
}

// A form, not an address: the answer is not to be in the history.
function handOver({ port, state }, answer) {
  for (const id of ['domain', 'choice', 'note']) byId(id).hidden = true
  say('Back to the app', 'If this page stays, the app has not waited. Close it, and start again.')
  const form = document.createElement('form')
  form.method = 'post'
  form.action = `http://127.0.0.1:${port}/`
  for (const [name, value] of Object.entries({ state, answer })) {
    const input = document.createElement('input')
    Object.assign(input, { type: 'hidden', name, value })
    form.append(input)
  }
  document.body.append(form)
  form.submit()
}

function disable(disabled) {
  for (const id of ['continue', 'cancel']) byId(id).disabled = disabled
}

function say(title, text) {
  byId('title').textContent = title
  byId('text').textContent = text
}

function utf8(text) {
  return new TextEncoder().encode(text)
}

function fromBase64url(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.codePointAt(0))
}

function toBase64url(bytes) {
  const binary = Array.from(bytes, (byte) => String.fromCodePoint(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
