"""What a log says, in the language of a page: a sentence for each event.

No field of an event is shown but technical words of ours, so that neither addresses nor names of
other servers come onto the page.
"""

from hausbote.base.log import Event
from hausbote.portal.language import Language


def sentences(language: Language) -> dict[Event, str]:
    """For every event that an owner needs to know of; the others tell of single clients."""
    say = language.say
    return {
        Event.SERVICE_STARTED: say("It was started."),
        Event.SERVICE_STOPPING: say("It was told to stop."),
        Event.SERVICE_DOWN: say("It ended as soon as it started, and was tried again and again."),
        Event.SERVICE_AGAIN: say("It stays now, after it had ended again and again."),
        Event.SERVICE_ENDED: say("It ended by itself, and was started again."),
        Event.XML_PARSER_OLD: say("The XML parser of this system is old: update the system."),
        Event.LISTENING: say("It waits for connections."),
        Event.FRONT_REFUSED: say("Something else than the front came to a socket of the front."),
        Event.CERTIFICATE_RELOADED: say("It uses the certificate that is on the disk now."),
        Event.CERTIFICATE_UNUSABLE: say("The certificate on the disk cannot be used."),
        Event.CERTIFICATE_DEPLOYED: say("A new certificate came."),
        Event.CERTIFICATE_FAILED: say("No new certificate came; it is tried again."),
        Event.CERTIFICATE_ENDS_SOON: say("The certificate ends soon."),
        Event.AUTHORITIES_UNUSABLE: say("A list of authorities cannot be used as it is."),
        Event.SESSIONS_KEPT: say("Apps that came back found everything as they had left it."),
        Event.LOGIN_FAILED: say("Somebody could not log in."),
        Event.LOGINS_HELD_BACK: say("Somebody tried many passwords, and has to wait."),
        Event.STREAM_ERROR: say("The connection with an app was ended."),
        Event.UNCLAIMED: say("Nobody had claimed the box yet."),
        Event.CLAIMED: say("The box was claimed."),
        Event.CLAIM_FAILED: say("Somebody typed a wrong code for the box."),
        Event.ACCOUNT_REGISTERED: say("Somebody made an account."),
        Event.INVITATION_MADE: say("Somebody made an invitation."),
        Event.INVITATION_USED: say("Somebody came with an invitation."),
        Event.COMPONENT_ATTACHED: say("A bridge or bot came."),
        Event.COMPONENT_DETACHED: say("A bridge or bot went."),
        Event.COMPONENT_REFUSED: say("A bridge or bot has the wrong secret, or a wrong name."),
        Event.ADMINISTERED: say("An administrator did something for the box in an app or here."),
        Event.PEER_REFUSED: say("Another server could not prove who it is, or is refused here."),
        Event.PEER_UNREACHABLE: say("Another server could not be reached."),
        Event.PEER_LOST: say("The connection with another server broke."),
        Event.QUEUE_GIVEN_UP: say("Messages waited too long for another server, and went back."),
        Event.STORE_FAILED: say("The database could not be written."),
        Event.DISK_LOW: say("The disk is nearly full."),
        Event.DISK_HAS_ROOM: say("The disk has room again."),
        Event.STORE_WORKS_AGAIN: say("The database can be written again."),
        Event.BACKUP_TROUBLE: say("The last backup failed, or there was none for too long."),
        Event.BACKUP_WORKS_AGAIN: say("There is a good backup again."),
        Event.STORAGE_TROUBLE: say("Something is wrong with the disk, or with what is on it."),
        Event.STORAGE_WELL: say("The disk is well again."),
        Event.CLOCK_DOUBTED: say("The clock jumped: nothing is deleted until it is believed."),
        Event.CLOCK_BELIEVED: say("The clock is believed again."),
        Event.OUT_OF_FILES: say("There were too many connections: nobody new was let in."),
        Event.ROW_DAMAGED: say("Something that was kept cannot be read, and is left out."),
        Event.RELAY_MISSING: say("Calls need coturn, which is not there."),
        Event.RELAY_MOVED: say("The box has another address: the relay for calls began anew."),
        Event.RELAY_SECRET_CHANGED: say("The secret of the relay for calls was changed."),
        Event.FILE_FAILED: say("A file could not be kept."),
        Event.FILE_MISSING: say("A file is not on the disk any more."),
        Event.UNDELIVERABLE: say("A part of the box was away too long; who wrote was told."),
        Event.STANZA_REFUSED_BY_BUS: say("A part of the box sent another one nonsense."),
        Event.BUG: say("There is a fault in Hausbote itself: please report this line."),
    }
