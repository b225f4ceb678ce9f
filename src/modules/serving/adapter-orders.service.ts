import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import type { Caller } from '../security/principal.port.js';
import { AdapterControl, type LoadOrder } from './adapter-control.service.js';
import { controlError } from './control-errors.js';
import { PromotionService, type Promotion } from './promotion.service.js';
import type { AdapterParameters, AdapterOrderReplyDto, PromoteDto, PromotionDto, RollbackDto } from './serving.dto.js';
import { ACTIVE_ALIAS, ServingViews } from './serving-views.js';

type Given = readonly [AdapterParameters, AdapterParameters];

/** The orders of the API, in its own words. */
@Injectable()
export class AdapterOrders {
  constructor(
    private readonly control: AdapterControl,
    private readonly promotions: PromotionService,
    private readonly views: ServingViews,
  ) {}

  async load(given: Given, caller: Caller): Promise<AdapterOrderReplyDto> {
    const { version, wasLoaded, loaded } = await this.control.load(loadOrder(given), caller);
    return {
      status: wasLoaded ? 'already_loaded' : 'loaded',
      adapter_id: version.name,
      version_id: version.id,
      model_id: version.modelId,
      replicas: loaded,
    };
  }

  async activate(given: Given, caller: Caller): Promise<AdapterOrderReplyDto> {
    const evidence = { order: 'activate_adapter' };
    const { version, loaded } = await this.promotions.promote(named(given), ACTIVE_ALIAS, { by: caller, evidence });
    return {
      status: 'activated',
      adapter_id: version.name,
      version_id: version.id,
      model_id: version.modelId,
      replicas: [...loaded],
    };
  }

  /** Without effect where none is active. */
  async deactivate(caller: Caller): Promise<AdapterOrderReplyDto> {
    if (this.views.active())
      await this.promotions.remove(ACTIVE_ALIAS, { by: caller, evidence: { order: 'deactivate' } });
    return { status: 'deactivated', adapter_id: null };
  }

  async unload(given: Given, caller: Caller): Promise<AdapterOrderReplyDto> {
    const how = merged(given).force ? 'forced' : 'plain';
    const { version, ended } = await this.control.unload(named(given), how, caller);
    return { status: 'unloaded', adapter_id: version.name, version_id: version.id, ended_answers: ended };
  }

  async promote(reference: string, { alias, evidence = {} }: PromoteDto, caller: Caller): Promise<PromotionDto> {
    return promotionView(await this.#told(this.promotions.promote(reference, alias, { by: caller, evidence })));
  }

  async rollback(alias: string, { evidence = {} }: RollbackDto, caller: Caller): Promise<PromotionDto> {
    return promotionView(await this.#told(this.promotions.rollback(alias, { by: caller, evidence })));
  }

  async #told<T>(work: Promise<T>): Promise<T> {
    return work.catch((error: unknown) => {
      throw controlError(error);
    });
  }
}

/** What is in the body counts over what is in the query. */
const merged = (given: Given): AdapterParameters =>
  Object.fromEntries(
    given.flatMap((parameters) => Object.entries(parameters)).filter(([, value]) => value !== undefined),
  );

function named(parameters: Given): string {
  const { adapter_id: adapterId, registry_id: registryId } = merged(parameters);
  const reference = adapterId ?? registryId;
  if (reference !== undefined) return reference;
  const message = 'adapter_id: is missing; send it in the query or the body';
  throw new AppError('bad_request', message, [{ path: 'adapter_id', message }]);
}

function loadOrder(parameters: Given): LoadOrder {
  const { adapter_id: adapterId, registry_id: registryId, path, pinned } = merged(parameters);
  const reference = registryId ?? adapterId;
  // The original gives a new name to a folder; a registered one has its name already.
  if (path !== undefined && registryId === undefined) return { adapter: { path }, pinned };
  if (reference !== undefined) return { adapter: { reference }, pinned };
  const message = 'adapter_id, registry_id and path are missing; one of them names the adapter';
  throw new AppError('bad_request', message, [{ path: 'adapter_id', message }]);
}

const promotionView = ({ deployment, version, loaded }: Promotion): PromotionDto => ({
  alias: deployment.alias,
  version_id: version.id,
  adapter_id: version.name,
  model_id: version.modelId,
  deployment: deployment.number,
  kind: deployment.kind,
  since: deployment.from.toISOString(),
  replicas: [...loaded],
});
