import { Global, Module } from '@nestjs/common';
import { AuditTrail, NoAuditTrail } from './audit.port.js';

@Global()
@Module({ providers: [{ provide: AuditTrail, useClass: NoAuditTrail }], exports: [AuditTrail] })
export class AuditModule {}
