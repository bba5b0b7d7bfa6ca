// Watches a promotion with the clients of other makers, graphql-ws over WebSocket and graphql-sse over event streams, and
// with what the page of GraphiQL uses.
// Prints what each of them was told; ends with 0 only if all of it is what it should be.
import { createClient as createSocketClient } from 'graphql-ws';
import { createClient as createStreamClient } from 'graphql-sse';
import WebSocket from 'ws';
import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';

const [url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const failures = [];

async function ask(query, variables) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

function expect(what, found, wanted) {
  const same = JSON.stringify(found) === JSON.stringify(wanted);
  console.log(`${same ? 'ok' : 'NOT OK'} ${what}: ${JSON.stringify(found)}`);
  if (!same) failures.push(what);
}

const handle = `audit-${Date.now()}`;
const { promotionCreate } = await ask(
  'mutation ($input: PromotionCreateInput!) { promotionCreate(input: $input) { promotion { id } } }',
  { input: { name: handle, handle } },
);
const id = promotionCreate.promotion.id;
await ask('mutation ($input: CodesAddInput!) { codesAdd(input: $input) { userErrors { message } } }', {
  input: { promotion: id, codes: `${handle}-1\n${handle}-2\n${handle}-3\n${handle}-4` },
});
await ask('mutation ($input: PromotionActInput!) { promotionActivate(input: $input) { userErrors { message } } }', {
  input: { id },
});

const query = 'subscription ($id: ID!) { inventoryChanged(promotion: $id) { available } }';
const issue = `mutation ($customer: String!) { codeIssue(input: { promotion: "${handle}", customer: $customer })
  { userErrors { message } } }`;

async function watch(name, client, left) {
  const changes = client.iterate({ query, variables: { id } });
  const first = await changes.next();
  expect(`${name}: the first value`, first.value.data, { inventoryChanged: { available: left } });
  await ask(issue, { customer: name });
  const second = await changes.next();
  expect(`${name}: the next value`, second.value.data, { inventoryChanged: { available: left - 1 } });
  await changes.return();
  for await (const result of client.iterate({ query: '{ __typename }' })) {
    expect(`${name}: a query`, result, { data: { __typename: 'Query' } });
  }
  const refusals = [];
  try {
    for await (const result of client.iterate({ query: '{ nothing }' })) refusals.push(...result.errors);
  } catch (errors) {
    refusals.push(...errors);
  }
  expect(`${name}: a bad document`, refusals.map((error) => error.extensions.code), ['GRAPHQL_VALIDATION_FAILED']);
}

const socket = createSocketClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: headers,
  keepAlive: 200,
});
await watch('graphql-ws', socket, 4);
await socket.dispose();

const stream = createStreamClient({ url, headers });
await watch('graphql-sse', stream, 3);
stream.dispose();

const streamed = runInThisContext(`${readFileSync('events.js', 'utf8')}; streamed`);
await watch('GraphiQL', { iterate: (parameters) => streamed(url, parameters, headers) }, 2);

process.exit(failures.length > 0 ? 1 : 0);
