/** A response whose text is made while the client reads it. */
export interface StreamedResponse {
  response: Response;
  /** Settles when the last piece is read or the client has gone. @throws the error that broke the response */
  ended: Promise<void>;
}

/**
 * Sends a JSON document in pieces. The next piece is made when the one before is read, so memory holds one at a time.
 * After an error the connection breaks without the end of the body, so a truncated document never looks complete.
 * @param gone fires when the client has gone; a piece that fails because of it is no error
 */
export function streamResponse(
  status: number,
  pieces: AsyncGenerator<string, void>,
  gone: AbortSignal,
): StreamedResponse {
  const encoder = new TextEncoder();
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await pieces.next();
          if (!next.done) return controller.enqueue(encoder.encode(next.value));
          controller.close();
          end();
        } catch (error) {
          controller.error(error);
          if (gone.aborted) end();
          else fail(error);
        }
      },
      async cancel() {
        end();
        await pieces.return();
      },
    },
    // Nothing is made ahead of the client.
    { highWaterMark: 0 },
  );
  const headers = { 'content-type': 'application/json' };
  return { response: new Response(body, { status, headers }), ended };
}
