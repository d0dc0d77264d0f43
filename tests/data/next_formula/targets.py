def right(reward, q, p, gamma):
    return reward + gamma * q - p


def wrong(reward, q, p, gamma):
    return reward + q - p
