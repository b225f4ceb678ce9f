import { Injectable } from '@nestjs/common';
import { ModelResolver } from '../gateway/model-resolver.js';
import { promptText } from '../gateway/prompt-text.js';
import { OwnAnswers, type Conversation } from '../own-answers.port.js';
import { OwnRequests } from './own-requests.js';

/** Conversations by the same choice of a model and the same replicas as those of clients. */
@Injectable()
export class GatewayAnswers extends OwnAnswers {
  constructor(
    private readonly models: ModelResolver,
    private readonly requests: OwnRequests,
  ) {
    super();
  }

  async chat({ model, ...fields }: Conversation, signal: AbortSignal): Promise<unknown> {
    const { resolved } = await this.models.choose({
      model,
      key: () => Promise.resolve(undefined),
      prompt: () => Promise.resolve(promptText({ ...fields })),
    });
    const { answer } = await this.requests.whole({ resolved, path: '/v1/chat/completions', fields, signal });
    return typeof answer === 'object' ? { ...answer, model: resolved.model } : answer;
  }
}
