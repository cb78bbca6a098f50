"""Settings of default tags: owner and cost centre of an environment. Cost reports are grouped by these tags.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from validation.base import Allowed, Section

# Every AWS service accepts letters, digits and + - = . _ : / @ in a tag value, but not spaces.
# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TAG_VALUE = r"[A-Za-z0-9+\-=._:/@]{1,256}"


def tag_value(text: str) -> str:
    if not re.fullmatch(TAG_VALUE, text):
        raise ValueError("write 1 to 256 letters, digits or + - = . _ : / @, without spaces")
    return text


TagValue = Annotated[str, AfterValidator(tag_value), Allowed("1 to 256 letters, digits, + - = . _ : / @")]


class TagSettings(Section):
    team: TagValue
    """Team to call when something breaks."""
    cost_center: TagValue
    """Cost centre for the bill."""
    owner: TagValue
    """Person or group mailbox responsible for the environment."""
