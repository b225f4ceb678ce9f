import { Module } from '@nestjs/common';
import { AdapterRegistryModule } from '../adapters/adapter-registry.module.js';
import { TrainingModule } from '../training/training.module.js';
import { AdapterControl } from './adapter-control.service.js';
import { AdapterOrders } from './adapter-orders.service.js';
import { BareServingController } from './bare-serving.controller.js';
import { PromotionController } from './promotion.controller.js';
import { PromotionService } from './promotion.service.js';
import { Reconciler } from './reconciler.service.js';
import { ReplicaPool } from './replica-pool.js';
import { ServingController } from './serving.controller.js';
import { ServingMetrics } from './serving-metrics.js';
import { ServingStatus } from './serving-status.port.js';
import { ServingTools } from './serving-tools.js';
import { ServingViews } from './serving-views.js';
import { WantedAdapters } from './wanted-adapters.js';
import { WantedStore } from './wanted.store.js';

/** The replicas behind every answer, and the orders to them. */
@Module({
  imports: [AdapterRegistryModule, TrainingModule],
  controllers: [ServingController, BareServingController, PromotionController],
  providers: [
    AdapterControl,
    AdapterOrders,
    PromotionService,
    Reconciler,
    ReplicaPool,
    ServingMetrics,
    ServingTools,
    ServingViews,
    WantedAdapters,
    WantedStore,
    { provide: ServingStatus, useExisting: ServingViews },
  ],
  exports: [ReplicaPool, ServingStatus, ServingViews],
})
export class ServingModule {}
