import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import passport from 'passport';
import passportJwt from 'passport-jwt';
import { AppError } from '../../kernel/errors.js';
import { invalidToken, missing } from './credentials.js';
import { headerProblem } from './token-claims.js';

type Done<T> = (error: unknown, value?: T) => void;

export interface BearerOptions {
  issuer: string;
  audience: string;
  algorithms: string[];
  leewaySeconds: number;
  /** The key of an id; undefined where the issuer has none. @throws AppError `unavailable` */
  key: (kid: string, algorithm: string) => Promise<KeyObject | undefined>;
  now: () => number;
}

/** What was wrong, in the original's words where it has some. */
function refusal(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof errors.JWTExpired) return invalidToken('Token expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalidToken(`Invalid token: the claim ${error.claim} is not what is expected`);
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return invalidToken('Invalid token: the signature does not match');
  return invalidToken('Invalid token: it cannot be read');
}

/** What goes through passport-jwt as the "secret": the key, and by what it is used. */
interface Secret {
  key: KeyObject;
  options: BearerOptions;
}

/** passport-jwt asks here for the key of a token before it looks at anything else. */
async function secretOf(token: string, options: BearerOptions): Promise<Secret> {
  const { algorithms, key } = options;
  const header = decodeProtectedHeader(token);
  const problem = headerProblem(header);
  if (problem) throw invalidToken(`Invalid token: ${problem}`);
  if (typeof header.alg !== 'string' || !algorithms.includes(header.alg))
    throw invalidToken(`Invalid token: its algorithm is not one of ${algorithms.join(', ')}`);
  if (typeof header.kid !== 'string' || header.kid === '') throw invalidToken('Invalid token: it names no key');
  const found = await key(header.kid, header.alg);
  if (found) return { key: found, options };
  throw invalidToken('Invalid token: its key is not one of the issuer');
}

/** jose in the place of jsonwebtoken, which knows no EdDSA; passport-jwt offers this member to replace it. */
async function check(token: string, { key, options }: Secret): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, key, {
    issuer: options.issuer,
    audience: options.audience,
    algorithms: options.algorithms,
    clockTolerance: options.leewaySeconds,
    requiredClaims: ['exp', 'sub'],
    currentDate: new Date(options.now()),
  });
  return payload;
}

/** passport-jwt wants callbacks. */
async function settle<T>(work: Promise<T>, done: Done<T>): Promise<void> {
  let outcome: { value: T } | { error: unknown };
  try {
    outcome = { value: await work };
  } catch (error) {
    outcome = { error };
  }
  if ('value' in outcome) done(null, outcome.value);
  else done(outcome.error);
}

const verifier = (token: string, secret: Secret, _options: unknown, done: Done<JWTPayload>): void => {
  void settle(check(token, secret), done);
};
Object.defineProperty(passportJwt.Strategy, 'JwtVerifier', { value: verifier });

/** Checks access tokens of the issuer by passport and passport-jwt. */
export class BearerStrategy {
  readonly #passport = new passport.Passport();

  constructor(options: BearerOptions) {
    const strategy = new passportJwt.Strategy(
      {
        jwtFromRequest: passportJwt.ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: (_request: unknown, token: string, done: Done<string>) => {
          void settle(secretOf(token, options) as Promise<unknown>, done as Done<unknown>);
        },
      },
      (claims: JWTPayload, done: Done<object>) => done(null, claims),
    );
    this.#passport.use('bearer', strategy);
  }

  /** @throws AppError `unauthorized` or `unavailable` */
  async claims(token: string): Promise<JWTPayload> {
    const request = { headers: { authorization: `Bearer ${token}` } };
    return new Promise((resolve, reject) => {
      const answer = (error: unknown, claims: JWTPayload | false, info: unknown): void => {
        if (error || info) reject(refusal(error || info));
        else if (claims) resolve(claims);
        else reject(missing());
      };
      const authenticate = this.#passport.authenticate('bearer', { session: false }, answer) as (
        ...of: [unknown, unknown, (error: unknown) => void]
      ) => void;
      authenticate(request, {}, (error) => reject(refusal(error)));
    });
  }
}
