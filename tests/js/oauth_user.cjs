// A user with a browser: goes to an address, fills in the forms of oidc-provider's pages, agrees or
// declines, and follows where that leads.
//
//   node oauth_user.cjs agree|decline ADDRESS [CODE]
'use strict'

const [answer, start, code] = process.argv.slice(2)
const cookies = new Map()

async function visit(url, form) {
  const body = form && new URLSearchParams(form)
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
  const response = await fetch(url, {
    method: form ? 'POST' : 'GET',
    body,
    headers: { cookie },
    redirect: 'manual',
  })
  for (const line of response.headers.getSetCookie()) {
    const [pair] = line.split(';')
    const at = pair.indexOf('=')
    cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }
  const next = response.headers.get('location')
  if (next) return visit(new URL(next, url).href)
  return { url, status: response.status, html: await response.text() }
}

function formOf(html) {
  const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1]
  const fields = {}
  for (const [input] of html.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]+)"/.exec(input)?.[1]
    if (name) fields[name] = /value="([^"]*)"/.exec(input)?.[1] ?? ''
  }
  return { action, fields }
}

// Where a page's own way out leads, or nothing.
function wayOut(html) {
  return /href="([^"]+\/abort)"/.exec(html)?.[1]
}

async function main() {
  let page = await visit(start)
  for (let step = 0; step < 8; step++) {
    const { action, fields } = formOf(page.html)
    const out = wayOut(page.html)
    if (!action) break
    if (answer === 'decline' && out) {
      page = await visit(new URL(out, page.url).href)
      break
    }
    if ('login' in fields) Object.assign(fields, { login: 'alice', password: 'x' })
    if ('user_code' in fields && code) fields.user_code = code
    if (/name="confirm"/.test(page.html)) fields.confirm = 'yes'
    delete fields.abort
    page = await visit(new URL(action, page.url).href, fields)
  }
  const text = page.html.replace(/<style[^]*?<\/style>|<[^>]+>/g, ' ').replace(/\s+/g, ' ')
  process.stdout.write(`${page.status} ${text.trim()}\n`)
}

main()
