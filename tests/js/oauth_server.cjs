// An authorization server that is neither Google's nor ours: oidc-provider, with its own pages for
// users. Prints its port, and ends with its standard input.
//
// As at Google, whoever agrees gets a refresh token. Tokens of `desktop` are good for half a
// minute; refresh tokens of `tv` are used once. Version 8 of oidc-provider is the last one that runs
// on the Node of Debian 12.
'use strict'

const http = require('node:http')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const DRIVE = 'https://www.googleapis.com/auth/drive'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

const clients = [
  {
    client_id: 'desktop',
    client_secret: 'not-a-secret',
    token_endpoint_auth_method: 'client_secret_post',
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['http://127.0.0.1'],
    response_types: ['code'],
  },
  {
    client_id: 'tv',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    grant_types: [DEVICE, 'refresh_token'],
    redirect_uris: [],
    response_types: [],
  },
]

// Nobody reads standard output after the port.
console.info = console.log = console.error

async function main() {
  const entry = path.join(process.env.NODE_PATH, 'oidc-provider/lib/index.js')
  const { default: Provider } = await import(pathToFileURL(entry))
  const server = http.createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients,
    features: {
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      revocation: { enabled: true },
    },
    issueRefreshToken: () => true,
    pkce: { required: () => true },
    rotateRefreshToken: (ctx) => ctx.oidc.client.clientId === 'tv',
    routes: {
      authorization: '/authorize',
      code_verification: '/device',
      device_authorization: '/device/code',
      revocation: '/revoke',
      token: '/token',
    },
    scopes: [`${DRIVE}.appdata`, `${DRIVE}.file`],
    ttl: { AccessToken: (ctx, token, client) => (client.clientId === 'desktop' ? 30 : 3600) },
  })
  server.on('request', provider.callback())
  process.stdout.write(`${port}\n`)
  process.stdin.on('end', () => process.exit()).resume()
}

main()
