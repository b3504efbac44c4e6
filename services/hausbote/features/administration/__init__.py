"""What administrators may do from their clients (XEP-0133), as commands of features/adhoc.py."""

from hausbote.features.administration import accounts, inquiries, lists, notices

FEATURES = (accounts.feature, inquiries.feature, lists.feature, notices.feature)
