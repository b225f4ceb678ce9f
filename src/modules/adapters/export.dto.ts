import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { AdapterFileDto } from './adapter.dto.js';
import type { ExportState } from './export.store.js';
import { exportFormats, type ExportFormat } from './exporter.port.js';

export class CreateExportDto {
  /** merged: safetensors with tokenizer and chat template; gguf: the adapter alone, merged-gguf: base and adapter in one file, both with a Modelfile for Ollama. */
  @ApiProperty({ enum: exportFormats })
  @IsIn(exportFormats)
  format!: ExportFormat;
}

export class AdapterExportDto {
  id!: string;
  adapter_id!: string;
  @ApiProperty({ enum: exportFormats })
  format!: ExportFormat;
  state!: ExportState;
  /** What it does, in words. */
  phase!: string | null;
  progress_percent!: number;
  error!: string | null;
  files!: AdapterFileDto[];
  bytes!: number;
  /** A tar of the files; null unless it is completed and not removed. */
  download_url!: string | null;
  created_by!: string;
  /** ISO 8601, UTC. */
  created_at!: string;
  started_at!: string | null;
  completed_at!: string | null;
  removed_at!: string | null;
}

export class AdapterExportListDto {
  exports!: AdapterExportDto[];
}
