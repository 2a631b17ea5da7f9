// HPKE (RFC 9180) in base mode, single-shot sealing: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
// AES-128-GCM, by the browser's own cryptography. Names are those of the RFC.

const ascii = (text) => new TextEncoder().encode(text)
const KEM = [...ascii('KEM'), 0x00, 0x20]
const HPKE = [...ascii('HPKE'), 0x00, 0x20, 0x00, 0x01, 0x00, 0x01]
const NOTHING = []

/** Encrypts to the public key `pkRm`. The encapsulated key, and then the ciphertext. */
export async function seal(pkRm, info, aad, plaintext, pair = generateKeyPair()) {
  const [sharedSecret, enc] = await encap(pkRm, await pair)
  const { key, nonce } = await keySchedule(sharedSecret, info)
  const params = { name: 'AES-GCM', iv: nonce, additionalData: aad }
  const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  return concat(enc, await crypto.subtle.encrypt(params, aes, plaintext))
}

const generateKeyPair = () => crypto.subtle.generateKey('X25519', true, ['deriveBits'])

// Section 4.1. A key of small order makes WebCrypto's `deriveBits` fail, as the RFC wants it.
async function encap(pkRm, { privateKey, publicKey }) {
  const pkR = await crypto.subtle.importKey('raw', pkRm, 'X25519', true, [])
  const dh = await crypto.subtle.deriveBits({ name: 'X25519', public: pkR }, privateKey, 256)
  const enc = await crypto.subtle.exportKey('raw', publicKey)
  const prk = await labeledExtract(KEM, NOTHING, 'eae_prk', dh)
  return [await labeledExpand(KEM, prk, 'shared_secret', concat(enc, pkRm), 32), enc]
}

// Section 5.1, in mode_base.
async function keySchedule(sharedSecret, info) {
  const pskIdHash = await labeledExtract(HPKE, NOTHING, 'psk_id_hash', NOTHING)
  const infoHash = await labeledExtract(HPKE, NOTHING, 'info_hash', info)
  const context = concat([0x00], pskIdHash, infoHash)
  const secret = await labeledExtract(HPKE, sharedSecret, 'secret', NOTHING)
  return {
    key: await labeledExpand(HPKE, secret, 'key', context, 16),
    nonce: await labeledExpand(HPKE, secret, 'base_nonce', context, 12),
  }
}

// Section 4, over HKDF (RFC 5869). Nothing longer than one hash is expanded to.
const labeledExtract = (suite, salt, label, ikm) =>
  hmac(salt, concat(ascii('HPKE-v1'), suite, ascii(label), ikm))

async function labeledExpand(suite, prk, label, info, length) {
  const labeled = concat([0x00, length], ascii('HPKE-v1'), suite, ascii(label), info)
  return (await hmac(prk, concat(labeled, [0x01]))).slice(0, length)
}

// A key of HMAC is padded with zeros, so that none is as good as zeros.
async function hmac(key, data) {
  const bytes = key.length === 0 ? new Uint8Array(32) : key
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data))
}

function concat(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...new Uint8Array(part)]))
}
