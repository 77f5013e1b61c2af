// Signing in and the account page work without any of this, but for passkeys.

import { announceMessages, copyOnClick, dismissMessages } from "./live.js";
import { runMenus } from "./menus.js";
import { markBusyForms } from "./forms.js";
import { usePasskeys } from "./passkeys.js";

announceMessages();
dismissMessages();
runMenus();
copyOnClick();
usePasskeys();
markBusyForms();
