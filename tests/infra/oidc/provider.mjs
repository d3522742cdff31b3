// A real OpenID Connect server for the console's sign-in: it checks PKCE, nonce, redirect addresses and client secrets.
//
//   node provider.mjs '{"port", "keys", "clients", "people", "lasts_s"}'      says "ready" on stdout when it listens
//
// People sign in by name with any password. The access token is a JWT for the audience `malote` (RFC 8707, RFC 9068) with
// the person's tenant, operator and scopes; `keys` are private JWKs, of which the first signs.
import { Provider, interactionPolicy } from 'oidc-provider';

const given = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${given.port}`;
const RESOURCE = 'urn:malote';
const person = sub => given.people[sub] ?? {};
const every = [...new Set(Object.values(given.people).flatMap(one => one.scope.split(' ')))];
const policy = interactionPolicy.base();
policy.remove('consent');  // what a person may do is decided by their role, below; nobody is asked

const provider = new Provider(issuer, {
  clients: given.clients.map(one => ({
    grant_types: ['authorization_code'], response_types: ['code'], id_token_signed_response_alg: 'ES256', ...one,
  })),
  jwks: { keys: given.keys },
  pkce: { required: () => true },
  claims: { openid: ['sub'], profile: ['name'] },
  ttl: { Grant: 3600, Session: 3600, Interaction: 600, IdToken: 600 },
  cookies: { keys: ['only for tests'] },
  renderError: (ctx, out) => { ctx.type = 'text'; ctx.body = `${out.error}: ${out.error_description}`; },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: person(sub).name }) }),
  extraTokenClaims: (_, token) => ({ tenant: person(token.accountId).tenant, operator: person(token.accountId).operator }),
  interactions: { policy },
  loadExistingGrant: async ctx => {
    const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
    grant.addOIDCScope('openid profile');
    grant.addResourceScope(RESOURCE, person(grant.accountId).scope ?? '');
    await grant.save();
    return grant;
  },
  features: {
    claimsParameter: { enabled: true },
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      getResourceServerInfo: () => ({
        scope: every.join(' '), audience: 'malote', accessTokenTTL: given.lasts_s, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

provider.listen(given.port, '127.0.0.1', () => console.log('ready'));
