import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const REALM = 'vcc';
const CLIENT = 'clara-training-system';
const KID = 'bench';
const LIFE_SECONDS = 6 * 3600;

/** Something that gives out tokens like Keycloak's, on loopback; it is not measured. */
export async function startIssuer() {
  const keys = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: KID, alg: 'RS256', use: 'sig' };
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise((opened) => server.listen(0, '127.0.0.1', () => opened(undefined)));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const issuer = `${url}/realms/${REALM}`;
  return {
    env: { KEYCLOAK_URL: url, KEYCLOAK_REALM: REALM, KEYCLOAK_CLIENT_ID: CLIENT },
    /** @param {string} role */
    token: (role) => signed({ key: keys.privateKey, issuer, role }),
    /** @param {number} count */
    badTokens: (count) => badTokens({ key: keys.privateKey, issuer, count }),
    stop: () => new Promise((closed) => (server.close(closed), server.closeAllConnections())),
  };
}

/** The claims of a Keycloak token. */
const signed = ({ key, issuer, role, subject = 'bench', audience = CLIENT, kid = KID, expires = LIFE_SECONDS }) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    typ: 'Bearer',
    azp: CLIENT,
    scope: 'openid email profile',
    name: 'Theo Trainer',
    preferred_username: 'demo-trainer',
    email: 'trainer@demo.example',
    realm_access: { roles: [role] },
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(now - 3600)
    .setExpirationTime(now + expires)
    .sign(key);
};

/** All different, in equal parts: signed by another key, of an unknown key, expired, for others, and no token at all. */
async function badTokens({ key, issuer, count }) {
  const other = (await generateKeyPair('RS256')).privateKey;
  const kinds = [
    (subject) => signed({ key: other, issuer, role: 'admin', subject }),
    (subject) => signed({ key: other, issuer, role: 'admin', subject, kid: subject }),
    (subject) => signed({ key, issuer, role: 'admin', subject, expires: -600 }),
    (subject) => signed({ key, issuer, role: 'admin', subject, audience: 'another' }),
    (subject) => Promise.resolve(`no.${subject}.token`),
  ];
  return Promise.all(Array.from({ length: count }, (_, index) => kinds[index % kinds.length](`nobody-${index}`)));
}
