import { Module } from '@nestjs/common';
import { AdapterRegistryModule } from '../../adapters/adapter-registry.module.js';
import { ServingModule } from '../serving.module.js';
import { AutoRouter } from '../routing/auto-router.js';
import { DomainSimilarity } from '../routing/domain-similarity.js';
import { BareGenerateController } from '../generate/bare-generate.controller.js';
import { GenerateController } from '../generate/generate.controller.js';
import { GenerateService } from '../generate/generate.service.js';
import { RouterController } from '../generate/router.controller.js';
import { GenerationChoice } from '../generate/generation.js';
import { GatewayAnswers } from '../generate/own-answers.service.js';
import { OwnRequests } from '../generate/own-requests.js';
import { OwnAnswers } from '../own-answers.port.js';
import { RouterSettings } from '../routing/router-settings.service.js';
import { AnswersController } from './answers.controller.js';
import { BodyMemory } from './body-memory.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { EmbeddingsService } from './embeddings.service.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { GatewayService } from './gateway.service.js';
import { ModelResolver } from './model-resolver.js';
import { ModelsController } from './models.controller.js';
import { Relay } from './relay.js';
import { ServedBase } from './served-base.js';

/** The OpenAI door, and the original's paths to the same engines. */
@Module({
  imports: [AdapterRegistryModule, ServingModule],
  controllers: [
    AnswersController,
    ModelsController,
    EmbeddingsController,
    GenerateController,
    RouterController,
    BareGenerateController,
  ],
  providers: [
    AutoRouter,
    BodyMemory,
    DomainSimilarity,
    EmbeddingsService,
    GatewayMetrics,
    GatewayService,
    GenerateService,
    GenerationChoice,
    ModelResolver,
    OwnRequests,
    Relay,
    RouterSettings,
    ServedBase,
    { provide: OwnAnswers, useClass: GatewayAnswers },
  ],
})
export class GatewayModule {}
