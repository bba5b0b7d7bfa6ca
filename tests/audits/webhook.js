// Runs the Node receiver of docs/webhooks.md and has a webhook's test sent to it; ends with 0 only if it understood it.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [url, token, page] = process.argv.slice(2);
const code = readFileSync(page, 'utf8').match(/```javascript\n([\s\S]*?)```/)[1];

async function ask(query, variables) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const { webhookCreate } = await ask(
  'mutation ($input: WebhookCreateInput!) { webhookCreate(input: $input) { secret webhook { id } userErrors { message } } }',
  { input: { url: `http://127.0.0.1:${port}/hooks`, types: ['CODE_ISSUED'] } },
);
const receiver = spawn(process.execPath, ['--input-type=module', '--eval', code], {
  env: { ...process.env, WEBHOOK_SECRET: webhookCreate.secret, PORT: String(port) },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const heard = new Promise((resolve) => receiver.stdout.once('data', (said) => resolve(String(said).trim())));
const id = webhookCreate.webhook.id;
await new Promise((resolve) => setTimeout(resolve, 1000));
await ask('mutation ($id: ID!) { webhookTest(input: { id: $id }) { userErrors { message } } }', { id });
const said = await Promise.race([heard, new Promise((resolve) => setTimeout(() => resolve('nothing'), 30000))]);
receiver.kill();
await ask('mutation ($id: ID!) { webhookDelete(input: { id: $id }) { userErrors { message } } }', { id });
const understood = said.startsWith('webhook.test ');
console.log(`${understood ? 'ok' : 'NOT OK'} webhook receiver: ${said}`);
process.exit(understood ? 0 : 1);
