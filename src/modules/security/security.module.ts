import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { Log } from '../../kernel/log.js';
import { AccessGuard } from './access.guard.js';
import { ClientAddress } from '../limits/client-address.port.js';
import { Authenticator } from './authenticator.port.js';
import { CredentialAuthenticator } from './credential-authenticator.js';
import { CredentialWatch } from './credential-watch.port.js';
import { CredentialWatcher } from './credential-watcher.js';
import { DebugAuthenticator } from './debug-authenticator.js';
import { FailedAttempts } from './failed-attempts.port.js';
import { LimitedAuthenticator } from './limited-authenticator.js';
import { JsonWebTokens } from './json-web-tokens.port.js';
import { KeySource } from './key-source.port.js';
import { PersonalTokens } from './personal-tokens.service.js';
import { SecurityController } from './security.controller.js';
import { SignedTokens } from './signed-tokens.js';
import { Tickets } from './tickets.service.js';
import { UnsignedTokens } from './unsigned-tokens.js';

/** Only testing mode believes tokens without a signature; every other mode asks the issuer's keys. */
function webTokens(source: KeySource, settings: Settings, clock: Clock, log: Log): JsonWebTokens {
  if (settings.security.mode === 'testing') return new UnsignedTokens(settings, clock);
  return new SignedTokens(source, settings, clock, log);
}

/** Debug mode asks nobody, so nobody fails there. */
function authenticator(
  settings: Settings,
  asking: CredentialAuthenticator,
  attempts: FailedAttempts,
  addresses: ClientAddress,
): Authenticator {
  if (settings.security.mode === 'debug') return new DebugAuthenticator(settings);
  return new LimitedAuthenticator(asking, attempts, addresses);
}

@Global()
@Module({
  controllers: [SecurityController],
  providers: [
    PersonalTokens,
    Tickets,
    CredentialAuthenticator,
    { provide: JsonWebTokens, useFactory: webTokens, inject: [KeySource, Settings, Clock, Log] },
    {
      provide: Authenticator,
      useFactory: authenticator,
      inject: [Settings, CredentialAuthenticator, FailedAttempts, ClientAddress],
    },
    { provide: CredentialWatch, useClass: CredentialWatcher },
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [Authenticator, CredentialWatch],
})
export class SecurityModule {}
