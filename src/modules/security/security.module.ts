import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access.guard.js';
import { ClientAddress } from '../limits/client-address.port.js';
import { Authenticator } from './authenticator.port.js';
import { DebugAuthenticator } from './debug-authenticator.js';
import { FailedAttempts } from './failed-attempts.port.js';
import { LimitedAuthenticator } from './limited-authenticator.js';

@Global()
@Module({
  providers: [
    DebugAuthenticator,
    {
      provide: Authenticator,
      useFactory: (inner: Authenticator, attempts: FailedAttempts, addresses: ClientAddress) =>
        new LimitedAuthenticator(inner, attempts, addresses),
      inject: [DebugAuthenticator, FailedAttempts, ClientAddress],
    },
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [Authenticator],
})
export class SecurityModule {}
