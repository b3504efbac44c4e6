"""The reasons that other parts of the box write down, as `reasons` knows them.

A test reads in the modules of those parts which there are.
"""

from typing import Final


def _reason(sentence: str) -> str:
    """Has it collected for translation."""
    return sentence


SENTENCES: Final = (
    # certificates
    _reason("The program auth in certificates.hooks ended with code %(code)s."),
    _reason("certbot failed: %(words)s"),
    _reason("it does not say why"),
    _reason("%(names)s and %(number)s more"),
    _reason(
        "DNS does not lead %(authority)s to %(names)s: give these names their records: %(words)s."
    ),
    _reason(
        "DNS does not lead %(authority)s to %(names)s: give these names their records, and"
        " _acme-challenge below them what the hooks write: %(words)s."
    ),
    _reason(
        "%(authority)s cannot reach %(names)s at port 80: lead it through router and firewall"
        " to port %(port)s of the box: %(words)s."
    ),
    _reason(
        "%(authority)s cannot reach %(names)s (the TXT record of _acme-challenge that"
        " certificates.hooks should have written): %(words)s."
    ),
    _reason(
        "%(authority)s found something else than the box's proof at %(names)s (port 80): do"
        " these names lead to this box and nowhere else?: %(words)s."
    ),
    _reason(
        "%(authority)s found something else than the box's proof at %(names)s (the TXT record"
        " of _acme-challenge that certificates.hooks should have written): %(words)s."
    ),
    _reason(
        "A CAA record in DNS forbids %(authority)s to certify %(names)s; 'hausbote check'"
        " prints the right one: %(words)s."
    ),
    _reason("%(authority)s does not certify such a name as %(names)s: %(words)s."),
    _reason("%(authority)s met a redirect to broken TLS at %(names)s: %(words)s."),
    _reason("%(authority)s refused to certify %(names)s: %(words)s."),
    _reason(
        "%(authority)s has given too many certificates or seen too many failures lately: %(words)s."
    ),
    _reason(
        "%(authority)s has given too many certificates or seen too many failures lately; it"
        " is asked again after %(time)s."
    ),
    _reason(
        "The certificate of %(authority)s itself is not good at this time: is it really"
        " %(time)s? Set the clock of this machine."
    ),
    _reason(
        "Port %(port)s is in use by %(program)s, and certbot needs it for the proof: stop"
        " that, or choose another ports.http and lead the internet's port 80 there."
    ),
    _reason(
        "This user may not open port %(port)s: choose a ports.http from 1024 on and lead the"
        " internet's port 80 there."
    ),
    _reason("Port %(port)s cannot be opened: see certificates.address and ports.http."),
    _reason(
        "A CAA record in DNS forbids %(authority)s to certify the box; 'hausbote check'"
        " prints the right one."
    ),
    _reason("%(authority)s does not certify one of the box's names: %(words)s."),
    _reason(
        "%(authority)s wants an account that was made there before, which is not possible"
        " here: choose another certificates.server."
    ),
    _reason(
        "%(authority)s shows a certificate that is not trusted here: is somebody in between,"
        " or does tls.trust lack its authority?"
    ),
    _reason("The disk is full."),
    _reason("certbot cannot write its files in certs/acme of the state directory."),
    _reason("A certificate is being asked for already."),
    _reason("%(authority)s cannot be reached: is this machine online, and does DNS work?"),
    _reason("What answers at certificates.server is no ACME server."),
    _reason("%(authority)s has trouble of its own: %(words)s."),
    _reason("certbot is not there: apt install certbot."),
    _reason("%(program)s is not there: dns-01 needs the programs auth and cleanup."),
    _reason("%(program)s cannot be run: chmod +x %(path)s"),
    _reason("certbot did not come to an end within an hour, and was stopped."),
    _reason("certbot cannot be started: %(words)s."),
    _reason("All names of the box have certificates of their own in certs/."),
    _reason("certbot ended well and left no certificate."),
    _reason(
        "%(authority)s gave a certificate that others would refuse, and the box keeps the one"
        " that it has. %(why)s"
    ),
    _reason("There is no name to certify."),
    _reason("%(path)s and %(key)s do not belong together."),
    _reason("%(path)s cannot be read: %(words)s."),
    _reason("%(path)s or %(key)s cannot be read: %(words)s"),
    _reason("%(path)s has no certificate in PEM."),
    _reason("%(path)s has a certificate that cannot be read."),
    _reason("%(path)s is no list of revoked certificates."),
    # what others show
    _reason("%(server)s showed no certificate."),
    _reason("The certificate of %(server)s cannot be read: it is not as it should be."),
    _reason(
        "The certificate of %(server)s was pinned until %(date)s; give the pin a new date if"
        " it is still the right one."
    ),
    _reason(
        "%(server)s showed another certificate than the pinned one: ask its owner, by another"
        " way, whether it was changed."
    ),
    _reason("%(server)s showed another certificate than the one that its DNS names (DANE)."),
    _reason("The certificate of %(server)s is not for servers."),
    _reason("The key of %(server)s is weak: %(words)s."),
    _reason("The certificate of %(server)s is signed weakly: with %(words)s."),
    _reason("%(authority)s, an authority of %(server)s,"),
    _reason("it is of an unknown kind"),
    _reason("RSA with %(number)s bits"),
    _reason("a curve of %(number)s bits"),
    _reason("its kind"),
    _reason("an unknown hash"),
    _reason("The certificate of %(server)s has no name that counts (subjectAltName)."),
    _reason("The certificate of %(server)s was revoked by its authority."),
    _reason("The certificate that %(server)s showed is for %(names)s."),
    _reason("%(names)s and others"),
    _reason("somebody else"),
    _reason("The certificate of %(server)s is self-signed: nobody vouches for it."),
    _reason(
        "The certificate of %(server)s leads to an authority that is not trusted here:"
        " %(authority)s."
    ),
    _reason("an authority without a name"),
    _reason(
        "The certificate of %(server)s came without that of %(authority)s, which signed it;"
        " the other server has to send the whole chain."
    ),
    _reason("The certificate of %(server)s ended on %(date)s."),
    _reason("The certificate of %(server)s is good from %(date)s on; are both clocks right?"),
    _reason(
        "The certificate of %(server)s depends on %(authority)s, whose own certificate ended"
        " on %(date)s."
    ),
    _reason("The certificate of %(server)s has a chain that does not hold: %(words)s."),
    # DNS
    _reason("%(server)s says in DNS that it has no XMPP server."),
    _reason("The name %(name)s has no IP address in DNS."),
    _reason("The name %(name)s does not exist in DNS."),
    _reason("The name server takes its time."),
    _reason("The question was given up."),
    _reason("DNS does not tell about %(name)s: %(words)s."),
    _reason("its aliases lead in circles"),
    _reason("the answer is larger than any server needs"),
    _reason("this machine knows no name server"),
    _reason("the name server does not answer"),
    _reason("it cannot be reached"),
    _reason("the name server says %(words)s"),
    _reason("DNS has no usable answer about %(name)s."),
    _reason("DNS could have no such name."),
    _reason("DNS is asked too much at this moment."),
    # backups
    _reason("The backup of %(time)s failed. %(why)s"),
    _reason("There was no good backup for %(days)s days: 'hausbote backup create' makes one."),
    _reason("Its process ended with code %(code)s."),
    _reason("There is no repository yet: 'hausbote backup init' makes it, and tells its password."),
    _reason(
        "%(place)s is another repository than the one that was used until now. If that is"
        " meant, say 'hausbote backup init'."
    ),
    _reason(
        "There is no place for backups: write backup.repository into hausbote.toml, like"
        ' repository = "/media/usb/hausbote".'
    ),
    _reason("A backup is just being restored here."),
    _reason("A backup is just being made or verified."),
    _reason("Files are being removed for a minute already."),
    _reason("The backup %(id)s is not complete: %(words)s. See 'hausbote files scrub'."),
    _reason("The backup %(id)s is not good: %(why)s"),
    _reason("And %(number)s more."),
    _reason("There is no backup %(id)s in %(place)s."),
    _reason("There are no backups in %(place)s."),
    _reason("There are backups of %(names)s: choose one by its id."),
    _reason("There is no directory %(path)s: is its disk mounted?"),
    _reason("Backups need restic, which is not there: apt install restic."),
    _reason("restic answered something that Hausbote does not know: is it very new?"),
    _reason("restic could not do it (%(place)s): %(words)s."),
    _reason("exit code %(code)s"),
    _reason(
        "The repository %(place)s is in use by %(who)s. If that has ended, its lock is"
        " ignored half an hour later."
    ),
    _reason("process %(number)s of %(name)s"),
    _reason("another program"),
    _reason("There is no repository at %(place)s: is its disk connected and mounted?"),
    _reason("The password does not open the repository %(place)s."),
    _reason("The disk is full (%(place)s): %(words)s."),
    _reason("The repository %(place)s cannot be read or written: %(words)s."),
    _reason("The repository %(place)s cannot be reached: %(words)s."),
    _reason("There is no such backup in %(place)s."),
    _reason(
        "The repository %(place)s is damaged: %(words)s. Let its disk be looked at, and begin"
        " a new repository at another place; 'hausbote backup restore --damaged' takes what"
        " can still be read of this one."
    ),
    _reason("the backup broke off"),
    _reason("The backup %(id)s is of no use: %(words)s."),
    _reason("This is no backup of a box: it has files of elsewhere."),
    _reason("This is no backup of a box: it has files behind a link."),
    _reason("This is no backup of a box: it has no database."),
    _reason("This backup has no manifest that can be read."),
    _reason("The backup was made by a newer Hausbote than this one: update Hausbote first."),
    _reason("%(name)s is missing."),
    _reason("%(name)s is not what it was."),
    _reason("The file %(id)s is missing."),
    _reason("The file %(id)s is not what was uploaded."),
    _reason("Of the database not all can be read: %(words)s."),
    _reason("%(table)s has %(number)s rows, and had %(before)s."),
    _reason("The file is damaged: %(words)s."),
    _reason("A row of %(table)s belongs to one of %(other)s that is gone."),
    _reason("A %(thing)s cannot be read (row %(number)s); it is left out."),
    _reason("message in archives"),
    _reason("message in a room"),
    _reason("message that waits for somebody"),
    _reason("stanza that waits for a server"),
    _reason("presence in a room"),
    _reason("contact request"),
    _reason("item of a node"),
    _reason("piece of private XML"),
    _reason("vCard of a room"),
    _reason("Of each %(thing)s not all can be read: %(words)s."),
    _reason("%(number)s more of these: %(thing)s."),
    _reason("The backup was not made: %(words)s."),
    _reason(
        "a copy of the database needs %(needed)s MB of the disk, which has %(free)s MB left,"
        " and %(reserve)s MB are to stay free"
    ),
    _reason("the disk became full while the database was copied"),
    _reason("%(path)s could not be copied: %(words)s"),
    _reason("%(name)s is no database: %(words)s"),
    _reason("the database is damaged: %(words)s"),
    # what the system says
    _reason("No space left on device"),
    _reason("Read-only file system"),
    _reason("Permission denied"),
    _reason("Input/output error"),
    _reason("No such file or directory"),
)
