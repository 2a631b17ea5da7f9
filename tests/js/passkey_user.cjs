// A user with Chromium and passkeys, on the page of an enclave.
//
//   node passkey_user.cjs SITE SERVICE
//
// SITE is the page's origin, behind which SERVICE answers. Each line that comes in is
// `{"act", "url", "screenshot"?}`: what the user does on the page at `url`. Each that goes out is
// `{"shows"}`, what the browser shows in the end, or `{"failed"}`.
'use strict'

const assert = require('node:assert/strict')
const { existsSync } = require('node:fs')
const { delimiter, join } = require('node:path')
const { createInterface } = require('node:readline')
const { chromium } = require('playwright-core')

const [site, service] = process.argv.slice(2)

async function main() {
  const folders = process.env.PATH.split(delimiter)
  const executablePath = folders.map((folder) => join(folder, 'chromium')).find(existsSync)
  assert(executablePath, 'there is no chromium: run `cargo xtask setup`')
  // Its own sandbox does not take root.
  const chromiumSandbox = process.getuid() !== 0
  const browser = await chromium.launch({ executablePath, chromiumSandbox })
  try {
    const user = await begin(browser)
    for await (const line of createInterface({ input: process.stdin })) {
      const said = await does(user, JSON.parse(line)).catch((error) => ({ failed: `${error}` }))
      console.log(JSON.stringify(said))
    }
  } finally {
    await browser.close()
  }
}

// One tab, since an authenticator belongs to one.
async function begin(browser) {
  const context = await browser.newContext({ viewport: { width: 390, height: 780 } })
  await context.route(/^https:/, (route) => route.abort())
  await context.route(`${site}/**`, async (route) => {
    const { pathname, search } = new URL(route.request().url())
    await route.fulfill({ response: await route.fetch({ url: service + pathname + search }) })
  })
  const page = await context.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(`${error}`))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const options = {
    protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasPrf: true,
    hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  }
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options })
  const verified = (isUserVerified) =>
    cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
  return { page, verified, errors }
}

async function does({ page, verified, errors }, { act, url, screenshot }) {
  errors.length = 0
  await page.goto('about:blank')
  await page.goto(url)
  const shows = (selector, text) => page.locator(selector, { hasText: text }).waitFor()
  switch (act) {
    case 'agrees':
      await page.getByRole('button', { name: /passkey/ }).waitFor()
      assert.equal(new URL(page.url()).hash, '', 'the request stays in the address')
      if (screenshot) await pictures(page, screenshot)
      await page.getByRole('button', { name: /passkey/ }).click()
      break
    case 'cancels':
      await page.getByRole('button', { name: 'Cancel' }).click()
      break
    case 'is not recognised, and cancels':
      await verified(false)
      await page.getByRole('button', { name: /passkey/ }).click()
      await shows('h1', 'Not confirmed')
      await verified(true)
      await page.getByRole('button', { name: 'Cancel' }).click()
      break
    case 'looks away':
      await page.getByRole('button', { name: 'Cancel' }).waitFor()
      return { shows: await page.locator('body').innerText() }
    case 'closes':
      await page.goto('about:blank')
      return { shows: '' }
    case 'reads':
      await shows('h1', 'Nothing to do here')
      return { shows: await page.locator('body').innerText() }
  }
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:/)
  assert.deepEqual(errors, [])
  assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/$/, 'the answer is in the address')
  return { shows: await page.locator('body').innerText() }
}

// How it looks in light and dark, and beside an app.
async function pictures(page, path) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${path}-${colorScheme}.png` })
  }
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.screenshot({ path: `${path}-wide.png` })
  await page.setViewportSize({ width: 390, height: 780 })
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
