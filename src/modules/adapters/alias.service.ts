import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { decodeCursor, encodeCursor } from '../../kernel/paging.js';
import type { Caller } from '../security/principal.port.js';
import { AdapterCatalog } from './adapter-catalog.port.js';
import { deploymentView } from './adapter-view.js';
import type {
  AliasDto,
  AliasListDto,
  DeploymentDto,
  DoneDto,
  HistoryDto,
  HistoryQuery,
  MoveAliasDto,
} from './adapter.dto.js';
import { AliasMoves } from './alias-moves.port.js';
import { DeploymentStore } from './deployment.store.js';
import { VersionStore } from './version.store.js';

const LONGEST_EVIDENCE = 16 * 1024;

/** Aliases and their history over HTTP. */
@Injectable()
export class AliasService {
  constructor(
    private readonly moves: AliasMoves,
    private readonly versions: VersionStore,
    private readonly history: DeploymentStore,
    private readonly catalog: AdapterCatalog,
  ) {}

  async list(): Promise<AliasListDto> {
    await this.catalog.refresh();
    const { versions, aliases } = this.catalog.snapshot();
    const byId = new Map(versions.map((version) => [version.id, version]));
    return {
      aliases: aliases.map(({ alias, versionId, splits }): AliasDto => ({
        alias,
        version_id: versionId,
        version: byId.get(versionId)?.name ?? versionId,
        model_id: byId.get(versionId)?.modelId ?? versionId,
        splits: splits.map((split) => ({ version_id: split.versionId, weight: split.weight })),
      })),
    };
  }

  async get(alias: string): Promise<AliasDto> {
    const found = (await this.list()).aliases.find((each) => each.alias === alias);
    if (found) return found;
    throw new AppError('not_found', `There is no alias "${alias.slice(0, 80)}"`);
  }

  async move(alias: string, { version, splits = [], evidence = {} }: MoveAliasDto, by: Caller): Promise<DeploymentDto> {
    if (JSON.stringify(evidence).length > LONGEST_EVIDENCE)
      throw new AppError('invalid', `evidence: longer than ${LONGEST_EVIDENCE} characters as JSON`, [
        { path: 'evidence', message: 'too long' },
      ]);
    const to = version === 'previous' ? version : await this.#idOf(version);
    const shares: { versionId: string; weight: number }[] = [];
    for (const split of splits) shares.push({ versionId: await this.#idOf(split.version), weight: split.weight });
    const deployment = await this.moves.move(alias, to, { by, evidence, splits: shares });
    await this.catalog.refresh();
    return deploymentView(deployment);
  }

  async remove(alias: string, by: Caller): Promise<DoneDto> {
    await this.moves.remove(alias, { by, evidence: {} });
    await this.catalog.refresh();
    return { success: true, message: `Alias removed: ${alias}` };
  }

  async deployments({ alias, version, at, limit = 100, cursor }: HistoryQuery): Promise<HistoryDto> {
    const page = await this.history.page({
      alias,
      versionId: version === undefined ? undefined : await this.#idOf(version),
      at: at === undefined ? undefined : momentOf(at),
      limit,
      before: cursor ? decodeCursor(cursor) : undefined,
    });
    const last = page.at(-1);
    return {
      deployments: page.map(deploymentView),
      next_cursor: last && page.length === limit ? encodeCursor(last.number) : null,
    };
  }

  async #idOf(reference: string): Promise<string> {
    return (await this.versions.get(reference)).id;
  }
}

/** ISO 8601 has forms that are no `Date`, such as weeks. @throws AppError `invalid` */
function momentOf(at: string): Date {
  const moment = new Date(at);
  if (!Number.isNaN(moment.getTime())) return moment;
  const message = `"${at.slice(0, 60)}" is not understood; write it like 2026-01-31T12:00:00Z`;
  throw new AppError('invalid', `at: ${message}`, [{ path: 'at', message }]);
}
