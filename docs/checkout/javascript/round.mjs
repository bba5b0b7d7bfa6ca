// The round of docs/checkout.md against a server, printed step by step; ends with 0 only if all of it is as it should be.
//   node round.mjs http://127.0.0.1:8000/graphql ADMIN_TOKEN CHECKOUT_TOKEN FOLDER
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Checkout, Unreachable } from './checkout.mjs';

const [url, admin, token, folder] = process.argv.slice(2);
const failures = [];

function expect(what, found, wanted) {
  const same = JSON.stringify(found) === JSON.stringify(wanted);
  console.log(`${same ? 'ok' : 'NOT OK'} ${what}: ${JSON.stringify(found)}`);
  if (!same) failures.push(what);
}

async function set(name, input, shown) {
  const kind = { promotionActivate: 'PromotionActInput' }[name] ?? `${name[0].toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${kind}!) { ${name}(input: $input) { ${shown} userErrors { message } } }`;
  const headers = { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables: { input } }) });
  const { data, errors } = await answer.json();
  if (errors || data[name].userErrors.length) throw new Error(JSON.stringify(errors ?? data[name].userErrors));
  return data[name];
}

// What a marketer has set up: 20 % off carts from 50.00 on, each code once.
const eur = (amount) => ({ amount, currency: 'EUR' });
await set('rewardTypeCreate', { name: 'Percentage off', handle: 'percentage', effect: 'PERCENTAGE' }, 'rewardType { handle }');
const { promotion } = await set('promotionCreate', {
  name: 'Spring sale',
  codeKind: 'MULTIPLE',
  reward: { single: { type: 'percentage', value: { percentage: '20' } } },
  condition: { subtotal: { op: 'GTE', value: eur('50.00') } },
}, 'promotion { id }');
await set('codesAdd', { promotion: promotion.id, codes: 'SPRING-1\nSPRING-2\nSPRING-3' }, 'report { added }');
await set('promotionActivate', { id: promotion.id }, 'promotion { status }');

const cart = (amount) => ({ currency: 'EUR', lines: [{ id: '1', sku: 'SHOE', quantity: 1, amount }] });
const options = { url, token, late: join(folder, 'late.jsonl') };
const shop = new Checkout(options);

const refused = await shop.validate({ code: 'spring-1', cart: cart('42.00') });
expect('too small a cart', refused.userErrors.map(({ code, data }) => [code, data.missing]), [['MINIMUM_NOT_MET', '8.00']]);
const found = await shop.validate({ code: 'spring-1', cart: cart('60.00') });
expect('a good cart', [found.isValid, found.discount.total], [true, eur('12.00')]);
const { hold } = await shop.hold({ code: 'SPRING-1', cart: cart('60.00'), order: 'A-1001', validFor: 'PT10M' });
expect('held', [hold.state, hold.amount], ['OPEN', eur('12.00')]);
const order = { hold: hold.token, order: 'A-1001', idempotencyKey: 'order:A-1001' };
const { redemption } = await shop.redeem(order);
expect('redeemed', [redemption.order, redemption.discount, redemption.reportedAt], ['A-1001', eur('12.00'), null]);
const again = await shop.redeem(order);
expect('asked again', [again.replayed, again.redemption.id === redemption.id], [true, true]);
const spent = await shop.redeem({ code: 'SPRING-1', cart: cart('60.00'), idempotencyKey: 'order:A-1002' });
expect('used up', [spent.redemption, spent.userErrors[0].code], [null, 'NOT_FOUND']);
const part = await shop.rollBack({ id: redemption.id, amount: eur('2.00'), idempotencyKey: 'refund:A-1001:1' });
const rest = await shop.rollBack({ id: redemption.id, idempotencyKey: 'refund:A-1001:2' });
expect('refunded', [part.rollback.isWhole, rest.rollback.isWhole, rest.rollback.amount], [false, true, eur('10.00')]);

// promograph is away: nobody listens on this port any more.
const closed = createServer();
await new Promise((resolve) => closed.listen(0, '127.0.0.1', resolve));
const { port } = closed.address();
await new Promise((resolve) => closed.close(resolve));
const away = { ...options, url: `http://127.0.0.1:${port}/graphql`, patience: 300, rest: 0 };
const refusing = new Checkout(away);
const sale = { code: 'SPRING-2', cart: cart('60.00'), order: 'A-1003', idempotencyKey: 'order:A-1003' };
expect('refused', await refusing.redeem(sale).catch((failure) => failure instanceof Unreachable), true);
const accepting = new Checkout({ ...away, whenUnreachable: 'ACCEPT_AND_REPORT_LATER' });
expect('accepted', await accepting.redeem(sale), null);
await accepting.redeem({ ...sale, idempotencyKey: 'order:A-1004', order: 'A-1004' });
await shop.reportLate();
expect('reported', shop.late.all('REPORTED').map(({ key }) => key), ['order:A-1003']);
expect('turned down', shop.late.all('REFUSED').map(({ key }) => key), ['order:A-1004']);
const late = (await shop.redeem(sale)).redemption;
expect('on the books', [late.discount, late.reportedAt !== null], [eur('12.00'), true]);

// A network that loses the answers: what may have been done is undone, so that the code is not gone.
const losing = createProxy(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { authorization, 'content-type': type } = request.headers;
  await fetch(url, { method: 'POST', headers: { authorization, 'content-type': type }, body: Buffer.concat(parts) });
  response.destroy();
});
await new Promise((resolve) => losing.listen(0, '127.0.0.1', resolve));
const lost = new Checkout({ ...away, url: `http://127.0.0.1:${losing.address().port}/graphql` });
const given = { code: 'SPRING-3', cart: cart('60.00'), idempotencyKey: 'order:A-1005' };
const failure = await lost.redeem(given).catch((failure) => failure);
expect('no answer', [failure instanceof Unreachable, failure.maybeDone], [true, true]);
expect('used meanwhile', (await shop.validate({ code: 'SPRING-3', cart: cart('60.00') })).isValid, false);
await shop.reportLate();
expect('undone', (await shop.validate({ code: 'SPRING-3', cart: cart('60.00') })).isValid, true);
losing.close();

process.exit(failures.length > 0 ? 1 : 0);
