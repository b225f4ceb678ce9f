import { Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { Log } from '../../kernel/log.js';
import { AuditKeeper } from './audit-keeper.service.js';
import { AuditKeeping, openAudit } from './audit-parts.js';
import { AuditStatus } from './audit-status.port.js';
import { AuditController } from './audit.controller.js';
import { AuditTrail, NoAuditTrail } from './audit.port.js';
import { AuditService } from './audit.service.js';

const keeping = {
  provide: AuditKeeping,
  inject: [Settings, DataSource, Log],
  useFactory: async (settings: Settings, source: DataSource, log: Log) =>
    new AuditKeeping(settings.audit.enabled ? await openAudit(settings, source, log) : null),
};

const trail = {
  provide: AuditTrail,
  inject: [AuditKeeping],
  useFactory: ({ parts }: AuditKeeping): AuditTrail => parts?.trail ?? new NoAuditTrail(),
};

@Global()
@Module({
  controllers: [AuditController],
  providers: [keeping, trail, AuditService, AuditKeeper, { provide: AuditStatus, useExisting: AuditKeeper }],
  exports: [AuditTrail, AuditStatus],
})
export class AuditModule {}
