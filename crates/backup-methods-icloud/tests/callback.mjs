// The page `callback.html`, in a browser of which it sees what it needs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const html = readFileSync(new URL('../callback.html', import.meta.url), 'utf8');
const script = html.match(/<script>(.*)<\/script>/s)[1];
const PAGE = 'https://wallet.example/icloud';
const APPLE = 'https://idmsa.apple.com/appleauth/auth/signin?x=1';
const STATE = 'A'.repeat(43);

// A tab: what it keeps, and what its last visit led to.
function tab() {
  const kept = new Map();
  return (address) => {
    const seen = { says: null, went: null, form: null, history: address };
    const says = { set textContent(text) { seen.says = text; } };
    const document = {
      body: { append: (form) => { seen.form = form; } },
      createElement: (tag) => ({
        tag, inputs: [], append(input) { this.inputs.push(input); }, submit() { this.sent = true; },
      }),
      getElementById: () => says,
    };
    const url = new URL(address);
    const { search, hash, pathname } = url;
    const location = { search, hash, pathname, replace: (to) => { seen.went = to; } };
    const history = { replaceState: (_, __, path) => { seen.history = path; } };
    const sessionStorage = {
      getItem: (name) => kept.get(name) ?? null,
      removeItem: (name) => kept.delete(name),
      setItem: (name, value) => kept.set(name, value),
    };
    const world = { URL, URLSearchParams, document, history, location, sessionStorage };
    vm.runInNewContext(script, world);
    return seen;
  };
}

const begins = (page, port = '50123', state = STATE) =>
  `${PAGE}#${new URLSearchParams({ page, port, state })}`;

const visit = tab();
assert.equal(visit(begins(APPLE)).went, APPLE);
const back = visit(`${PAGE}?ckWebAuthToken=54__a+b/c==`);
assert.equal(back.history, '/icloud', 'the token stays in the history');
assert.equal(back.form.method, 'post');
assert.equal(back.form.action, 'http://127.0.0.1:50123/');
assert.ok(back.form.sent);
const sent = Object.fromEntries(back.form.inputs.map(({ name, value }) => [name, value]));
assert.deepEqual(sent, { state: STATE, ckWebAuthToken: '54__a+b/c==' });

// Once.
assert.equal(visit(`${PAGE}?ckWebAuthToken=again`).form, null);

// The older name, escaped, and behind a `#`.
visit(begins(APPLE));
const older = visit(`${PAGE}#ckSession=54__a%2Bb`);
assert.equal(older.form.inputs[1].value, '54__a+b');

// A token that another tab brings.
visit(begins(APPLE));
const other = tab()(`${PAGE}?ckWebAuthToken=stolen`);
assert.equal(other.form, null);
assert.match(other.says, /not begun by the app/);

// The page leads to Apple only, and back to a port of this machine only.
const foreign = [
  begins('https://apple.com.example/'),
  begins('https://notapple.com/'),
  begins('http://idmsa.apple.com/'),
  begins('javascript:alert(1)//apple.com'),
  begins(APPLE, '1@wallet.example'),
  begins(APPLE, '50123', 'short'),
  PAGE,
];
for (const address of foreign) {
  const seen = tab()(address);
  assert.equal(seen.went, null, address);
  assert.ok(seen.says, address);
}

console.log('as it should be');
