"""Made-up statuses in the shape of Twitter's API 1.1, for machines that have no real ones.

What matters to a parser is kept: the same keys and nesting, texts of several scripts with emoji, line ends and quotes,
64-bit ids with their text beside them, a status inside three statuses out of four, 2 to 7 KB each.
"""

import random

SCRIPTS = [(0x3042, 0x3093), (0x30A2, 0x30F3), (0x4E00, 0x5FFF), (0x0430, 0x044F), (0x0061, 0x007A)]
EMOJI = "😋✨😊💖🎉🔥👍🌊"
DAYS = ["Sat", "Sun", "Mon"]


def made_up_statuses(count=100, seed=20140831):
    make = StatusMaker(random.Random(seed))
    return [make.status(index, nested=index % 4 != 0) for index in range(count)]


class StatusMaker:
    def __init__(self, source):
        self.random = source

    def word(self):
        first, last = self.random.choice(SCRIPTS)
        return "".join(chr(self.random.randint(first, last)) for _ in range(self.random.randint(2, 9)))

    def text(self, words):
        parts = [self.word() for _ in range(words)]
        for _ in range(words // 6):
            parts.insert(self.random.randrange(len(parts)), self.random.choice(EMOJI))
        if self.random.random() < 0.2:
            parts.insert(self.random.randrange(len(parts)), self.random.choice(["\n", "\n\n", '"said"']))
        return " ".join(parts)

    def moment(self):
        pick = self.random.randint
        return (f"{self.random.choice(DAYS)} Aug {pick(1, 31):02} "
                f"{pick(0, 23):02}:{pick(0, 59):02}:{pick(0, 59):02} +0000 2014")

    def identity(self, low, high):
        number = self.random.randint(low, high)
        return {"id": number, "id_str": str(number)}

    def color(self):
        return f"{self.random.randrange(1 << 24):06X}"

    def user(self):
        pick, chance = self.random.randint, self.random.random
        name = "".join(self.random.choice("abcdefghijklmnopqrstuvwxyz_0123456789") for _ in range(pick(5, 15)))
        image = f"http://images.example.com/profile/{pick(10**17, 10**18)}/{name}.jpeg"
        return self.identity(10**7, 3 * 10**9) | {
            "name": self.text(2), "screen_name": name,
            "location": self.word() if chance() < 0.5 else "", "description": self.text(pick(3, 20)),
            "url": f"http://example.com/{name}" if chance() < 0.3 else None,
            "entities": {"description": {"urls": []}}, "protected": False,
            "followers_count": pick(0, 5000), "friends_count": pick(0, 5000), "listed_count": pick(0, 50),
            "created_at": self.moment(), "favourites_count": pick(0, 9000),
            "utc_offset": 32400 if chance() < 0.3 else None, "time_zone": "Tokyo" if chance() < 0.3 else None,
            "geo_enabled": chance() < 0.3, "verified": False, "statuses_count": pick(1, 90000), "lang": "ja",
            "contributors_enabled": False, "is_translator": False, "is_translation_enabled": False,
            "profile_background_color": self.color(),
            "profile_background_image_url": image, "profile_background_image_url_https": image.replace("http", "https"),
            "profile_background_tile": chance() < 0.3,
            "profile_image_url": image, "profile_image_url_https": image.replace("http", "https"),
            "profile_link_color": self.color(), "profile_sidebar_border_color": self.color(),
            "profile_sidebar_fill_color": self.color(), "profile_text_color": self.color(),
            "profile_use_background_image": True, "default_profile": chance() < 0.5, "default_profile_image": False,
            "following": False, "follow_request_sent": False, "notifications": False,
        }

    def mention(self):
        user = self.user()
        start = self.random.randint(0, 20)
        return {key: user[key] for key in ("screen_name", "name", "id", "id_str")} | {"indices": [start, start + 12]}

    def entities(self):
        link = {"url": "http://example.com/s", "expanded_url": "http://example.com/a/longer/path",
                "display_url": "example.com/a/longer…", "indices": [30, 52]}
        tags = [{"text": self.word(), "indices": [5, 11]}] if self.random.random() < 0.2 else []
        return {"hashtags": tags, "symbols": [], "urls": [link] if self.random.random() < 0.3 else [],
                "user_mentions": [self.mention() for _ in range(self.random.randint(0, 2))]}

    def status(self, index, nested):
        reply = self.identity(10**7, 3 * 10**9) if self.random.random() < 0.1 else {"id": None, "id_str": None}
        made = {
            "metadata": {"result_type": "recent", "iso_language_code": "ja"}, "created_at": self.moment(),
        } | self.identity(5 * 10**17, 6 * 10**17) | {
            "text": self.text(self.random.randint(5, 25)),
            "source": '<a href="http://example.com/app" rel="nofollow">' + self.word() + "</a>", "truncated": False,
            "in_reply_to_status_id": None, "in_reply_to_status_id_str": None,
            "in_reply_to_user_id": reply["id"], "in_reply_to_user_id_str": reply["id_str"],
            "in_reply_to_screen_name": None,
            "user": self.user(), "geo": None, "coordinates": None, "place": None, "contributors": None,
        }
        if nested:
            made["retweeted_status"] = self.status(index, nested=False)
        made |= {
            "retweet_count": self.random.randint(0, 200), "favorite_count": self.random.randint(0, 50),
            "entities": self.entities(), "favorited": False, "retweeted": False,
        }
        if index % 7 == 0:
            made["possibly_sensitive"] = False
        return made | {"lang": "ja"}
