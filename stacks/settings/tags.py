"""Who owns an environment and who pays for it. They become default tags, and cost reports are grouped by them.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from validation.base import Allowed, Section

# Letters, digits and + - = . _ : / @ are what every AWS service accepts in a tag value, spaces are not.
# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TAG_VALUE = r"[A-Za-z0-9+\-=._:/@]{1,256}"


def tag_value(text: str) -> str:
    if not re.fullmatch(TAG_VALUE, text):
        raise ValueError("write 1 to 256 letters, digits or + - = . _ : / @, without spaces")
    return text


TagValue = Annotated[str, AfterValidator(tag_value), Allowed("1 to 256 letters, digits, + - = . _ : / @")]


class TagSettings(Section):
    team: TagValue
    """Team that is called when something breaks."""
    cost_center: TagValue
    """Cost centre that the bill is allocated to."""
    owner: TagValue
    """Person or group mailbox that answers for the environment."""
