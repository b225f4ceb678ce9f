import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { FailedAttempts } from '../security/failed-attempts.port.js';
import { ClientAddress } from './client-address.port.js';
import { CreationLimit } from './creation-limit.port.js';
import { FailedTokenLimit } from './failed-token-limit.js';
import { RequestLimitGuard } from './request-limit.guard.js';
import { RequestLimit } from './request-limit.port.js';

/** Imported behind the SecurityModule: its guard runs after that one's. */
@Global()
@Module({
  providers: [
    ClientAddress,
    RequestLimit,
    CreationLimit,
    { provide: FailedAttempts, useClass: FailedTokenLimit },
    { provide: APP_GUARD, useClass: RequestLimitGuard },
  ],
  exports: [ClientAddress, RequestLimit, CreationLimit, FailedAttempts],
})
export class LimitsModule {}
