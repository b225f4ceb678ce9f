import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsObject } from 'class-validator';
import { Optional } from '../../../kernel/optional.js';

const section = { type: 'object', additionalProperties: true } as const;
const rules = { type: 'array', items: section } as const;

/** As configs/router_config.yaml has it; each section may be left out, and each key in it. */
export class RouterChangeDto {
  @Optional()
  @IsObject()
  @ApiPropertyOptional(section)
  thresholds?: object;
  @Optional()
  @IsObject()
  @ApiPropertyOptional(section)
  weights?: object;
  @Optional()
  @IsObject()
  @ApiPropertyOptional(section)
  options?: object;
  /** In place of all rules. */
  @Optional()
  @IsArray()
  @ApiPropertyOptional(rules)
  static_rules?: object[];
}

export class RouterConfigDto {
  @ApiProperty(section)
  thresholds!: object;
  @ApiProperty(section)
  weights!: object;
  @ApiProperty(section)
  options!: object;
  @ApiProperty(rules)
  static_rules!: object[];
}
