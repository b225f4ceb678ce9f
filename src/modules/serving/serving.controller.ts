import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { AdapterOrderController } from './adapter-order.controller.js';
import { AdapterOrderReplyDto, ServedAdaptersDto } from './serving.dto.js';

/** Adapters of the engines, as the original's serving names the orders. */
@ApiTags('serving')
@Controller('api/serving')
export class ServingController extends AdapterOrderController {
  @Requires('adapters:activate')
  @Post(['deactivate', 'deactivate_adapter'])
  @HttpCode(200)
  @ApiOperation({ summary: 'Take the alias `active` away: the base answers where no adapter is named' })
  deactivate(@CurrentUser() caller: Caller): Promise<AdapterOrderReplyDto> {
    return this.orders.deactivate(caller);
  }

  @Requires('adapters:read')
  @Get('adapters/list')
  @ApiOperation({ summary: 'The registered adapters, newest first, and where each is loaded' })
  list(): ServedAdaptersDto {
    return this.views.list();
  }
}
