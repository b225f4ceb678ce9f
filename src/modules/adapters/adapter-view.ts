import type { AdapterDto, DeploymentDto } from './adapter.dto.js';
import type { VersionRecord } from './adapter-versions.port.js';
import type { Deployment } from './alias-moves.port.js';

export const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** A version as the API shows it; pure. */
export function adapterView(version: VersionRecord, aliases: readonly string[]): AdapterDto {
  return {
    id: version.id,
    name: version.name,
    model_id: version.model_id,
    state: version.retired_at === null ? 'active' : 'retired',
    base: version.base,
    base_model: version.base_path,
    base_hash: version.base_hash,
    method: version.method,
    rank: version.rank,
    format: version.format,
    content_hash: version.content_hash,
    bytes: version.bytes,
    files: version.files,
    domains: version.domains,
    tags: version.tags,
    notes: version.notes,
    aliases: [...aliases],
    dataset: version.dataset,
    metrics: version.metrics,
    configuration: version.configuration,
    origin: version.origin,
    job_id: version.job_id,
    created_by: version.created_by,
    created_at: version.created_at.toISOString(),
    retired_at: iso(version.retired_at),
    retired_by: version.retired_by,
  };
}

export const deploymentView = (deployment: Deployment): DeploymentDto => ({
  number: deployment.number,
  alias: deployment.alias,
  version_id: deployment.versionId,
  version: deployment.versionName,
  splits: deployment.splits.map(({ versionId, weight }) => ({ version_id: versionId, weight })),
  kind: deployment.kind,
  from: deployment.from.toISOString(),
  to: iso(deployment.to),
  by: deployment.by,
  evidence: deployment.evidence,
});
