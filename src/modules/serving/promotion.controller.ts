import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { AdapterOrders } from './adapter-orders.service.js';
import { PromoteDto, PromotionDto, RollbackDto } from './serving.dto.js';

/** Moves of aliases that keep every answer going. */
@ApiTags('adapters')
@Controller('api/adapters')
export class PromotionController {
  constructor(private readonly orders: AdapterOrders) {}

  @Requires('adapters:activate')
  @Post('aliases/:alias/rollback')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let an alias mean again what it meant before; loaded first, without a gap' })
  rollback(
    @Param('alias') alias: string,
    @Body() body: RollbackDto,
    @CurrentUser() caller: Caller,
  ): Promise<PromotionDto> {
    return this.orders.rollback(alias, body, caller);
  }

  @Requires('adapters:activate')
  @Post(':id/promote')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let an alias mean this version: loaded beside the old one, then moved; no request fails' })
  promote(@Param('id') id: string, @Body() body: PromoteDto, @CurrentUser() caller: Caller): Promise<PromotionDto> {
    return this.orders.promote(id, body, caller);
  }
}
