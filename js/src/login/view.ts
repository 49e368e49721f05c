// What the login card says in each state. Mirrors the traits of LoginCard in jupyter_arkitekt/widgets/_login.py.

export type LoginState = "pending" | "granted" | "denied" | "expired" | "cancelled" | "error";

export interface LoginTraits {
  state: LoginState;
  /** The code to compare on the consent page; empty once the sign-in is over. */
  code: string;
  /** Address of the consent page; empty once the sign-in is over. */
  url: string;
  /** Where the person signs in, e.g. "arkitekt.lab.example". */
  server: string;
  /** Who signed in; empty until then. */
  user: string;
  /** Seconds that the code is valid, as of the moment Python said so. */
  left: number;
  /** What went wrong, and what to do, in the state "error". */
  message: string;
  remedy: string;
  /** Whether Python can start a new sign-in. */
  can_retry: boolean;
}

export interface LoginFace {
  title: string;
  /** The line in the live region. */
  line: string;
  remedy: string;
  showCode: boolean;
  showRetry: boolean;
  tone: "wait" | "good" | "bad" | "quiet";
}

const AGAIN = "Ask for a new code to try again.";
const AGAIN_BY_HAND = "Run %arkitekt login to ask for a new code.";

/** Return the card's words for `traits`; `live` is false when the kernel is gone. */
export function face(traits: LoginTraits, live: boolean): LoginFace {
  const title = `Sign in to ${traits.server}`;
  const retry = live && traits.can_retry;
  const again = retry ? AGAIN : AGAIN_BY_HAND;
  const over = { title, showCode: false, showRetry: retry };
  switch (traits.state) {
    case "granted":
      return {
        ...over,
        showRetry: false,
        line: `Signed in as ${traits.user} at ${traits.server}`,
        remedy: "",
        tone: "good",
      };
    case "denied":
      return { ...over, line: "The request was refused on the consent page.", remedy: again, tone: "bad" };
    case "expired":
      return { ...over, line: "The code expired before anybody agreed.", remedy: again, tone: "bad" };
    case "cancelled":
      return { ...over, line: "The sign-in was cancelled here.", remedy: again, tone: "quiet" };
    case "error":
      return { ...over, line: traits.message, remedy: traits.remedy, tone: "bad" };
    case "pending":
      return live
        ? { title, showCode: true, showRetry: false, line: "Waiting for your consent …", remedy: "", tone: "wait" }
        : {
            ...over,
            showRetry: false,
            line: "The kernel is gone, and this sign-in with it.",
            remedy: "Start the kernel and run %load_ext arkitekt again.",
            tone: "bad",
          };
  }
}

/** Only a web address may become a link. */
export function isWebAddress(url: string): boolean {
  return /^https?:\/\//i.test(url);
}
