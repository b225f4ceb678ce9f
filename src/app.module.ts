import { Module, type DynamicModule } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { HttpKeySource } from './adapters/identity/http-key-source.js';
import type { DocumentParts } from './adapters/open-documents.js';
import type { LocalLauncher } from './adapters/launchers/local-launcher.js';
import { openWriter } from './adapters/writers/open-writer.js';
import { Settings } from './config/settings.js';
import { Clock, SystemClock } from './kernel/clock.js';
import { Log } from './kernel/log.js';
import { Wakeups } from './kernel/wakeups.js';
import { AuditModule } from './modules/audit/audit.module.js';
import { DocsModule } from './modules/docs/docs.module.js';
import { FineTuningModule } from './modules/fine-tuning/fine-tuning.module.js';
import { HealthModule } from './modules/health/health.module.js';
import { IngestionModule } from './modules/ingestion/ingestion.module.js';
import { LimitsModule } from './modules/limits/limits.module.js';
import { MetricsModule } from './modules/metrics/metrics.module.js';
import { PkiModule } from './modules/pki/pki.module.js';
import { RealtimeModule } from './modules/realtime/realtime.module.js';
import { KeySource } from './modules/security/key-source.port.js';
import { AdapterExporter } from './modules/adapters/exporter.port.js';
import { AdaptersModule } from './modules/adapters/adapters.module.js';
import { DatasetModule } from './modules/dataset/dataset.module.js';
import { QuestionWriter } from './modules/dataset/questions/question-writer.port.js';
import { SearchRoutesModule } from './modules/dataset/search-routes.module.js';
import { Engines } from './modules/serving/engines.port.js';
import { GatewayModule } from './modules/serving/gateway/gateway.module.js';
import { Tracing } from './modules/serving/gateway/tracing.port.js';
import { OwnAnswers } from './modules/serving/own-answers.port.js';
import { ServingModule } from './modules/serving/serving.module.js';
import { SecurityModule } from './modules/security/security.module.js';
import { Host } from './modules/training/host.js';
import { Launcher } from './modules/training/launcher.port.js';
import { TrainerEnvironment } from './modules/training/trainer-environment.port.js';
import { TrainingModule } from './modules/training/training.module.js';

/** The outside, opened before the application is put together. */
export interface Outside {
  settings: Settings;
  log: Log;
  dataSource: DataSource;
  wakeups: Wakeups;
  host: Host;
  environment: TrainerEnvironment;
  launcher: LocalLauncher;
  documents: DocumentParts;
  engines: Engines;
  exporter: AdapterExporter;
  tracing: Tracing;
}

@Module({})
class OutsideModule {
  static with(outside: Outside): DynamicModule {
    const providers = [
      { provide: Settings, useValue: outside.settings },
      { provide: Log, useValue: outside.log },
      { provide: DataSource, useValue: outside.dataSource },
      { provide: getDataSourceToken(), useValue: outside.dataSource },
      { provide: Wakeups, useValue: outside.wakeups },
      { provide: Host, useValue: outside.host },
      { provide: TrainerEnvironment, useValue: outside.environment },
      { provide: Launcher, useValue: outside.launcher },
      { provide: KeySource, useValue: new HttpKeySource(outside.settings.security.jwksUrl) },
      {
        provide: QuestionWriter,
        inject: [ModuleRef],
        useFactory: (parts: ModuleRef) =>
          openWriter(outside.settings, new SystemClock(), () => parts.get(OwnAnswers, { strict: false })),
      },
      { provide: Engines, useValue: outside.engines },
      { provide: AdapterExporter, useValue: outside.exporter },
      { provide: Tracing, useValue: outside.tracing },
      ...outside.documents.providers,
      { provide: Clock, useClass: SystemClock },
      { provide: Registry, useFactory: () => new Registry() },
    ];
    return { module: OutsideModule, global: true, providers, exports: providers };
  }
}

/** The composition: the modules, and the adapters behind their ports. */
@Module({})
export class AppModule {
  static with(outside: Outside): DynamicModule {
    return {
      module: AppModule,
      imports: [
        OutsideModule.with(outside),
        AuditModule,
        SecurityModule,
        LimitsModule,
        // Routes are tried in this order: the ones that must be quick stand at the front.
        GatewayModule,
        PkiModule,
        AdaptersModule,
        TrainingModule,
        RealtimeModule,
        IngestionModule,
        SearchRoutesModule,
        DatasetModule,
        FineTuningModule,
        ServingModule,
        HealthModule,
        MetricsModule,
        DocsModule,
      ],
    };
  }
}
