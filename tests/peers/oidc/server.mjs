// oidc-provider on the loopback: a code for a page or a device, refresh tokens that rotate.
// Usage: node server.mjs PATH_OF_THE_LIBRARY; prints where it listens.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(pathToFileURL(process.argv[2]));
const listener = createServer();
await new Promise((done) => listener.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${listener.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'cli',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  }],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, deviceFlow: { enabled: true } },
  ttl: { AccessToken: 3600, RefreshToken: 3600, DeviceCode: 120, Interaction: 600, Session: 600, Grant: 3600, IdToken: 600 },
  rotateRefreshToken: true,
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});
listener.on('request', provider.callback());
console.log(`listening on ${issuer}`);
