// The page of GraphiQL: asks the endpoint beside this folder, with the headers of the header editor.
'use strict';

const send = GraphiQL.createFetcher({ url: new URL('../graphql', window.location.href).toString() });

// Until somebody types a token, the editor shows where it goes; that hint is no token and is not sent.
const UNFILLED = /^bearer\s*(…|\.\.\.)?\s*$/i;

function withoutHint(headers) {
  return Object.fromEntries(
    Object.entries(headers ?? {}).filter(
      ([name, value]) => name.toLowerCase() !== 'authorization' || !UNFILLED.test(value),
    ),
  );
}

function fetcher(parameters, options) {
  return send(parameters, { ...options, headers: withoutHint(options?.headers) });
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
