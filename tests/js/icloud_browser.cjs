// A user with Chromium, on a page of the app's and on Apple's, and what other pages try meanwhile.
//
//   node icloud_browser.cjs ACCOUNT ADDRESS ICLOUD
//
// ADDRESS is where the app sends the user; `callback.html` answers there. ICLOUD is the double,
// whose page for signing in stands at `https://idmsa.apple.com`.
'use strict'

const assert = require('node:assert/strict')
const { existsSync, readFileSync } = require('node:fs')
const { delimiter, join } = require('node:path')
const { chromium } = require('playwright-core')

const [account, address, icloud] = process.argv.slice(2)
const app = new URL(address).origin + new URL(address).pathname
const begun = new URLSearchParams(new URL(address).hash.slice(1))
const html = readFileSync(
  join(__dirname, '../../crates/backup-methods-icloud/callback.html'), 'utf8')

async function main() {
  const folders = process.env.PATH.split(delimiter)
  const executablePath = folders.map((folder) => join(folder, 'chromium')).find(existsSync)
  assert(executablePath, 'there is no chromium: run `cargo xtask setup`')
  // Its own sandbox does not take root.
  const chromiumSandbox = process.getuid() !== 0
  const browser = await chromium.launch({ executablePath, chromiumSandbox })
  try {
    const context = await browser.newContext()
    const posted = await network(context)
    await leadsNowhereElse(context)
    await signsIn(context, async () => {
      await othersTry(context)
      assert.deepEqual(posted, [], 'a page of others reached the port')
    })
    assert.equal(posted.length, 1, 'the token was posted more than once')
  } finally {
    await browser.close()
  }
}

// The app's site, Apple's, and one of somebody else's; nothing else is reached but this machine.
// What is posted to this machine.
async function network(context) {
  const posted = []
  await context.route(/^https:/, (route) => route.abort())
  await context.route(`${app}**`, (route) =>
    route.fulfill({ contentType: 'text/html', body: html }))
  await context.route('https://evil.example/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<p>A page.' }))
  await context.route('https://idmsa.apple.com/signin**', async (route) => {
    const { pathname, search } = new URL(route.request().url())
    const page = `${icloud}${pathname}${search}&account=${account}`
    const answer = await fetch(page, { redirect: 'manual' })
    // A page that was used already, to which the user went back.
    if (answer.status !== 302) return route.fulfill({ body: 'This page is of no use.' })
    const to = JSON.stringify(answer.headers.get('location'))
    const body = `<button>Sign in</button>
      <script>document.querySelector('button').onclick = () => location.assign(${to})</script>`
    await route.fulfill({ contentType: 'text/html', body })
  })
  context.on('request', (request) => {
    if (request.method() === 'POST') posted.push(request.url())
  })
  return posted
}

// Waits until the page, or a frame, says so.
const says = (page, text, about) =>
  page.locator('#says').filter({ hasText: text }).waitFor({ timeout: 10_000 }).catch(async () => {
    assert.fail(`${about ?? page.url()}: ${await page.locator('#says').textContent()}`)
  })

// Somebody else's page, and another tab, bring a token while the user signs in.
async function othersTry(context) {
  const tab = await context.newPage()
  await tab.goto(`${app}?ckWebAuthToken=stolen`)
  await says(tab, /not begun by the app/)
  assert.equal(tab.url(), app, 'the token stays in the address')

  const evil = await context.newPage()
  await evil.goto('https://evil.example/')
  const opened = context.waitForEvent('page')
  await evil.evaluate((to) => { window.open(to) }, `${app}?ckWebAuthToken=stolen`)
  const other = await opened
  await other.waitForLoadState()
  await says(other, /not begun by the app/)

  // A frame does not even see what its tab keeps.
  await evil.evaluate((to) => new Promise((done) => {
    const frame = document.createElement('iframe')
    frame.onload = done
    frame.src = to
    document.body.append(frame)
  }), `${app}?ckWebAuthToken=stolen`)
  assert(evil.frames().some((frame) => frame.url() === app))
  await Promise.all([tab, evil, other].map((page) => page.close()))
}

// The page leads to Apple only, and back to a port of this machine only.
async function leadsNowhereElse(context) {
  const wrong = [
    { page: 'https://evil.example/' },
    { page: 'https://idmsa.apple.com.evil.example/' },
    { page: 'http://idmsa.apple.com/' },
    { page: 'javascript:document.title="run"//.apple.com' },
    { port: '80@evil.example' },
    { port: '0' },
    { state: 'short' },
  ]
  for (const change of wrong) {
    const tab = await context.newPage()
    const asked = new URLSearchParams({ ...Object.fromEntries(begun), ...change })
    await tab.goto(`${app}#${asked}`)
    await says(tab, /of no use/, JSON.stringify(change))
    assert.equal(tab.url(), app, JSON.stringify(change))
    await tab.goto(`${app}?ckWebAuthToken=stolen`)
    await says(tab, /not begun by the app/, JSON.stringify(change))
    await tab.close()
  }
}

// The user does so, while others try; afterwards neither token nor state is anywhere that the
// browser goes back to.
async function signsIn(context, meanwhile) {
  const tab = await context.newPage()
  await tab.goto(address)
  await tab.waitForURL('https://idmsa.apple.com/**')
  await meanwhile()
  await tab.click('button')
  await tab.waitForURL('http://127.0.0.1:*/')
  assert.match(await tab.textContent('body'), /You are signed in/)
  assert(!tab.url().includes('?'))
  await tab.goBack().catch(() => {})
  assert.doesNotMatch(tab.url(), /ckWebAuthToken|state=/)
  const kept = await tab.evaluate(() => JSON.stringify(sessionStorage)).catch(() => '{}')
  assert.equal(kept, '{}')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
