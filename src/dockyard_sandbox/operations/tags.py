"""AddTags, ListTags, DeleteTags.

Owns the three operations. Must not check what a tag may be made of: `shapes` does.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_sandbox.errors import refuse
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import cut_page
from dockyard_sandbox.world import read_tags

_PAGE = 50


def offer_tag_operations() -> Operations:
    """The operations by name."""
    return {"AddTags": add_tags, "ListTags": list_tags, "DeleteTags": delete_tags}


def add_tags(call: ApiCall) -> Mapping[str, object]:
    """AddTags: sets the values of tags that are there. Answers with all tags of the resource."""
    arn = _require_resource(call)
    with call.world.lock:
        call.world.tags.put(arn, read_tags(call.request))
        return {"Tags": _show(call.world.tags.find(arn))}


def list_tags(call: ApiCall) -> Mapping[str, object]:
    """ListTags."""
    return cut_page(_show(call.world.tags.find(_require_resource(call))), call.request, "Tags", size=_PAGE)


def delete_tags(call: ApiCall) -> Mapping[str, object]:
    """DeleteTags."""
    call.world.tags.remove(_require_resource(call), call.request.texts("TagKeys"))
    return {}


def _require_resource(call: ApiCall) -> str:
    arn = call.request.text("ResourceArn")
    if not call.world.exists(arn):
        raise refuse(f'Could not find resource "{arn}".')
    return arn


def _show(tags: Mapping[str, str]) -> list[Mapping[str, object]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
