"""The client's consumer against the real service: read, acknowledged, killed in the middle, taken up by another."""

from emulation_saas.client import Consumer
from tests.streams.stage import PROVINCE
from tests.streams.test_copies import Service, serving


def consumer(service: Service) -> Consumer:
    url = f"http://127.0.0.1:{service.stage.port}"
    return Consumer(url, PROVINCE, "van-thu", token=service.stage.token, http=service.http)


async def test_what_was_dealt_with_comes_no_more_and_the_rest_comes_again(database_url: str) -> None:
    async with serving(database_url) as service:
        head = await service.tell(1)
        headers = {"authorization": f"Bearer {await service.stage.token()}"}
        place = f"http://127.0.0.1:{service.stage.port}/v1/provinces/{PROVINCE}/consumers"
        made = await service.http.post(place, json={"consumer": "van-thu"}, headers=headers)
        assert made.status_code == 200, made.text
        came: list[int] = []
        last = head
        async with consumer(service) as first:
            async for event in first.events():
                came.append(event.position)
                if event.position == last > head:
                    break
                if event.position == head:
                    last = await service.tell(2)
        assert came == [*range(1, last + 1)]
        assert (await service.get("/consumers/van-thu")).json()["position"] == head
        again: list[int] = []
        async with consumer(service) as second:
            async for event in second.events():
                again.append(event.position)
                if event.position == last:
                    break
        assert again == [*range(head + 1, last + 1)]
