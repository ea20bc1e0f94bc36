/** What the shop itself does when something has happened: the catalogue, open pages, refunds. */
import type { EventBus } from '../events.ts';
import type { OrderMovesService } from './order-moves.service.ts';
import type { Consumer } from './outbox.ts';
import type { PaymentService } from './payment.service.ts';
import type { ProductService } from './product.service.ts';

export const ORDER_EVENTS = [
  'order.placed',
  'order.authorized',
  'order.paid',
  'order.payment_failed',
  'order.fulfilled',
  'order.delivered',
  'order.cancelled',
  'order.refunded',
] as const;

interface ShopConsumersDeps {
  bus: EventBus;
  products: Pick<ProductService, 'announce'>;
  payments: Pick<PaymentService, 'refund'>;
  orderMoves: Pick<OrderMovesService, 'giveRefundUp'>;
}

export function shopConsumers({ bus, products, payments, orderMoves }: ShopConsumersDeps): Consumer[] {
  return [
    {
      name: 'catalogue',
      types: ['stock.changed'],
      batch: 100,
      async handle(events) {
        const ids = events.flatMap(({ data }) => ('productIds' in data ? data.productIds : []));
        await products.announce([...new Set(ids)]);
      },
    },
    {
      name: 'live',
      types: [...ORDER_EVENTS, 'order.refund_requested'],
      batch: 100,
      async handle(events) {
        const ids = events.flatMap(({ data }) => ('orderId' in data ? [data.orderId] : []));
        for (const orderId of new Set(ids)) bus.publish('order.changed', { orderId });
      },
    },
    {
      name: 'refunds',
      types: ['order.refund_requested'],
      atOnce: 4,
      async handle([event]) {
        if (event?.type !== 'order.refund_requested') return;
        const { orderId, refundId } = event.data;
        await payments.refund(orderId, refundId);
        bus.publish('order.changed', { orderId });
      },
      async giveUp({ type, data }, fault) {
        if (type !== 'order.refund_requested') return;
        await orderMoves.giveRefundUp(data, fault);
        bus.publish('order.changed', { orderId: data.orderId });
      },
    },
  ];
}
