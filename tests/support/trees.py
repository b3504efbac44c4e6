"""What a tree says."""


def infoset(element):
    """Whatever its spelling; texts beside the element itself are not its own."""
    inside = [(infoset(child), child.tail or "") for child in element]
    return element.tag, dict(element.attrib), element.text or "", inside
