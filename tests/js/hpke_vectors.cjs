// Whether the page of passkey ceremonies encrypts as RFC 9180 says: appendix A.1.1, the encryption
// with the sequence number 0.
'use strict'

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const VECTOR = {
  info: '4f6465206f6e2061204772656369616e2055726e',
  skEm: '52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736',
  pkEm: '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431',
  pkRm: '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d',
  pt: '4265617574792069732074727574682c20747275746820626561757479',
  aad: '436f756e742d30',
  ct: 'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9'
    + '6d8770ac83d07bea87e13c512a',
}

// What stands before a private key of X25519 in PKCS #8 (RFC 8410): WebCrypto reads no raw ones.
const PKCS8 = '302e020100300506032b656e04220420'

const bytes = (hex) => new Uint8Array(Buffer.from(hex, 'hex'))

async function main() {
  const file = join(
    __dirname, '../../crates/backup-methods-passkey/src/enclave/page/hpke.js')
  const module = `data:text/javascript,${encodeURIComponent(readFileSync(file, 'utf8'))}`
  const { seal } = await import(module)
  const pair = {
    privateKey: await crypto.subtle.importKey(
      'pkcs8', bytes(PKCS8 + VECTOR.skEm), 'X25519', true, ['deriveBits']),
    publicKey: await crypto.subtle.importKey('raw', bytes(VECTOR.pkEm), 'X25519', true, []),
  }
  const { pkRm, info, aad, pt } = Object.fromEntries(
    Object.entries(VECTOR).map(([name, hex]) => [name, bytes(hex)]))
  const sealed = await seal(pkRm, info, aad, pt, pair)
  assert.equal(Buffer.from(sealed).toString('hex'), VECTOR.pkEm + VECTOR.ct)
  const small = new Uint8Array(32)
  await assert.rejects(seal(small, info, aad, pt), 'a key of small order was taken')
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
