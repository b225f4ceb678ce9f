import { Module } from '@nestjs/common';
import { AutoRouter } from '../routing/auto-router.js';
import { DomainSimilarity } from '../routing/domain-similarity.js';
import { AnswersController } from './answers.controller.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { EmbeddingsService } from './embeddings.service.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { GatewayService } from './gateway.service.js';
import { ModelResolver } from './model-resolver.js';
import { ModelsController } from './models.controller.js';
import { Relay } from './relay.js';
import { ServedBase } from './served-base.js';

/** The OpenAI door. */
@Module({
  controllers: [AnswersController, ModelsController, EmbeddingsController],
  providers: [
    AutoRouter,
    DomainSimilarity,
    EmbeddingsService,
    GatewayMetrics,
    GatewayService,
    ModelResolver,
    Relay,
    ServedBase,
  ],
  exports: [AutoRouter],
})
export class GatewayModule {}
