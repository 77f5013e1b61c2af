// The settings page works without any of this; each module makes one thing smoother.

import { announceMessages } from "./live.js";
import { liftDialogs } from "./dialogs.js";
import { showCreatedKey } from "./created.js";
import { tickAccess } from "./access.js";
import { copyOnClick } from "./copy.js";
import { shortenPastedKeys } from "./find.js";
import { closeMenus } from "./menus.js";

announceMessages();
liftDialogs();
showCreatedKey();
tickAccess();
copyOnClick();
shortenPastedKeys();
closeMenus();
