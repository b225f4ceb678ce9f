import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access.guard.js';
import { Authenticator } from './authenticator.port.js';
import { DebugAuthenticator } from './debug-authenticator.js';

@Global()
@Module({
  providers: [
    { provide: Authenticator, useClass: DebugAuthenticator },
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [Authenticator],
})
export class SecurityModule {}
