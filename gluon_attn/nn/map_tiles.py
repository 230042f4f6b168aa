"""Positions along the axes of a map whose size the code does not know. Maps are N,C,H,W."""


def line_along(F, x, axis):
    """One line of the map along `axis`; float32, in which positions are exact."""
    for other in {0, 1, 2, 3} - {axis}:
        x = F.slice_axis(x, axis=other, begin=0, end=1)
    return F.cast(F.reshape(x, shape=(-1,)), dtype="float32")


def tiles(F, x, axis, count):
    """Which of `count` tiles of one length each position along `axis` lies in, and where in it.

    The length is that of the axis over `count`, rounded up, so that the last tiles may lack positions. Gives two
    arrays of 0 and 1 in float32: (count,L), the tile of each position, and (1,L,L), whether two positions have the
    same place in their tiles.
    """
    line = F.BlockGrad(line_along(F, x, axis))
    position = F.reshape(F.contrib.arange_like(line, axis=0), shape=(1, -1))
    length = F.ceil(F.reshape(F.sum(F.ones_like(line)), shape=(1, 1)) / count)
    tile = F.floor(F.broadcast_div(position, length))
    place = F.broadcast_sub(position, F.broadcast_mul(tile, length))
    members = F.concat(*[tile == number for number in range(count)], dim=0)
    return members, F.broadcast_equal(F.reshape(place, shape=(1, -1, 1)), F.reshape(place, shape=(1, 1, -1)))
