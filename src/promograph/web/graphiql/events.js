// What a subscription tells, as server-sent events: the distinct connections mode of the GraphQL-over-SSE protocol.
'use strict';

// An async iterable of results. Its return() breaks the connection off at once, also while nothing comes.
function streamed(url, parameters, headers) {
  const broken = new AbortController();
  const results = resultsOf(url, parameters, headers, broken.signal);
  const over = { done: true, value: undefined };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return await results.next();
      } catch (error) {
        if (broken.signal.aborted) return over;
        throw error;
      }
    },
    async return() {
      broken.abort();
      return over;
    },
  };
}

async function* resultsOf(url, parameters, headers, signal) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify(parameters),
    signal,
  });
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    yield await response.json(); // it was refused before anything began
    return;
  }
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split('\n');
      if (lines.includes('event: complete')) return;
      const data = lines.find((line) => line.startsWith('data: '));
      if (data !== undefined) yield JSON.parse(data.slice('data: '.length));
    }
  }
}
