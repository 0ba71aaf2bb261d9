/** What can go wrong between the app and its server, as two nouns. */

/** The server answered, and said no. */
export class Refused extends Error {
  override name = 'Refused';

  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    /** where in the filter, from 1 */
    readonly column: number | null = null,
    readonly near: string[] = [],
  ) {
    super(message);
  }
}

/** No answer came: the server is stopped, or the line is cut. What is on the screen stays. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

export const isAborted = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';
