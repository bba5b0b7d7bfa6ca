// The page of GraphiQL: asks the endpoint beside this folder, with the headers of the header editor.
'use strict';

const ENDPOINT = new URL('../graphql', window.location.href).toString();
const send = GraphiQL.createFetcher({ url: ENDPOINT });

// Until somebody types a token, the editor shows where it goes; that hint is no token and is not sent.
const UNFILLED = /^bearer\s*(…|\.\.\.)?\s*$/i;

function withoutHint(headers) {
  return Object.fromEntries(
    Object.entries(headers ?? {}).filter(
      ([name, value]) => name.toLowerCase() !== 'authorization' || !UNFILLED.test(value),
    ),
  );
}

function isSubscription({ operationName }, document) {
  const operations = document?.definitions.filter(({ kind }) => kind === 'OperationDefinition') ?? [];
  const chosen = operations.find(({ name }) => !operationName || name?.value === operationName);
  return chosen?.operation === 'subscription';
}

function fetcher(parameters, options) {
  const headers = withoutHint(options?.headers);
  if (isSubscription(parameters, options?.documentAST)) return streamed(ENDPOINT, parameters, headers);
  return send(parameters, { ...options, headers });
}

const QUERY = `# Ctrl-Space completes, Ctrl-Enter runs; the book at the left is the documentation.
{
  __typename
}
`;

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: QUERY,
    defaultHeaders: JSON.stringify({ Authorization: 'Bearer …' }, null, 2),
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
  }),
);
