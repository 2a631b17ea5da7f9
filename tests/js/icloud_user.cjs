// A user with a browser: goes to the app's page, as `callback.html` leads them, to Apple's, signs
// in there with an account, and comes back with a token.
//
//   node icloud_user.cjs ACCOUNT ADDRESS
'use strict'

const [account, start] = process.argv.slice(2)

async function signIn() {
  const begun = new URLSearchParams(new URL(start).hash.slice(1))
  const page = await fetch(`${begun.get('page')}&account=${account}`, { redirect: 'manual' })
  const back = new URL(page.headers.get('location'))
  const token = back.searchParams.get('ckWebAuthToken').replaceAll(' ', '+')
  const body = new URLSearchParams({ state: begun.get('state'), ckWebAuthToken: token })
  await fetch(`http://127.0.0.1:${begun.get('port')}/`, { method: 'POST', body })
}

signIn()
